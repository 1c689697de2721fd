"""How the pages of a list follow each other, and how they prove that they are one list."""
