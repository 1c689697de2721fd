"""What all other packages use: errors, times, configuration, secrets. It imports none of them."""
