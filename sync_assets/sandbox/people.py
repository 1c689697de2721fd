"""Invented people, in several scripts."""

from dataclasses import dataclass

from sync_assets.sandbox.seeded_random import SeededRandom

FIRST_NAMES = (
    "Ana", "Zoë", "José", "Łukasz", "Mary Ann", "Søren", "さくら", "伟", "Nguyễn", "Chloé", "Björk",
    "Ólafur", "Priya", "Αλέξανδρος", "Jean-Luc", "Ольга", "Mia", "Tariq", "Siân", "민준",
)  # fmt: skip
LAST_NAMES = (
    "García", "O'Connor", "Müller", "Nowak", "de la Cruz", "Ångström", "田中", "王", "Smith",
    "Þórsson", "D’Angelo", "Иванова", "Kaya", "Fernández-Núñez", "Singh", "Dvořák", "Lefèvre", "김",
    "Papadópoulos",
)  # fmt: skip
COUNTRIES = (("ES", "es"), ("FR", "fr"), ("DE", "de"), ("GB", "en"), ("JP", "ja"), ("PL", "pl"))
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/131.0.0.0 Mobile",
)


@dataclass(frozen=True)
class Person:
    """Someone who takes part, buys or recommends."""

    first_name: str
    last_name: str
    email: str
    country: str
    language: str

    @property
    def full_name(self) -> str:
        """Return both names."""
        return f"{self.first_name} {self.last_name}"


def person(dice: SeededRandom) -> Person:
    """Draw a person; the address is under a domain that belongs to nobody."""
    country, language = dice.pick(COUNTRIES)
    return Person(
        dice.pick(FIRST_NAMES),
        dice.pick(LAST_NAMES),
        f"someone.{dice.below(10**7)}@example.{dice.pick(('org', 'com', 'net'))}",
        country,
        language,
    )


def ip_address(dice: SeededRandom) -> str:
    """Draw an address of a range kept for documentation."""
    return f"{dice.pick(('192.0.2', '198.51.100', '203.0.113'))}.{dice.below(256)}"
