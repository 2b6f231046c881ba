"""Values of options that several commands take."""

from trackers.errors import UnknownOptionError


def whole_numbers(text: str, wrong: str) -> list[int]:
    """The numbers between commas; UnknownOptionError, which says what is `wrong`, if one is no whole number from 1 on."""
    numbers = [int(number) if number.isdecimal() else 0 for number in text.split(",")]
    if min(numbers) < 1:
        raise UnknownOptionError(wrong)
    return numbers
