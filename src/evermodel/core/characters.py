"""The characters that models of language tell apart."""

ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-/"  # capitals count as the small letters
SYMBOLS = len(ALPHABET) + 1  # and one for all others
