"""What is hidden in folders and archives, or left there by systems unasked."""

import re

# Such as .DS_Store, and __MACOSX/._1.jpg, which is called an image and is none; but not ./1.jpg or ../1.jpg.
LITTER = re.compile(r"(.*/)?((__MACOSX/|\.(?!\.?/)).*|Thumbs\.db|desktop\.ini)", re.DOTALL | re.IGNORECASE)


def is_litter(name: str) -> bool:
    """Whether nobody means the file of that path, whose folders are parted by /."""
    return LITTER.fullmatch(name) is not None
