"""V8's date reader: ISO 8601 first, and a tolerant reader of words and numbers for everything else.

The tolerant reader knows names of months, ``AM`` and ``PM``, American zones and ``GMT-8``; it skips words
before the first number and whatever stands in parentheses. Source: the behaviour of Node 20, fuzzed.
"""

from __future__ import annotations

from typing import Final

from connector.mapping.date_tokens import Kind, Token, Tokens

_MS_PER_DAY = 86_400_000
_YEARS_PER_ERA = 400
_DAYS_PER_ERA = 146_097


def days_from_civil(year: int, month_index: int, day: int) -> int:
    """Return days since 1970-01-01 of a date whose month (from 0) and day may lie beyond their range."""
    year += month_index // 12
    month = month_index % 12
    # Counted in years from March, so that the leap day is the last one.
    shifted = year - (month < 2)
    era, year_of_era = divmod(shifted, _YEARS_PER_ERA)
    day_of_year = (153 * ((month + 10) % 12) + 2) // 5
    return (
        era * _DAYS_PER_ERA
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + day_of_year
        + day
        - 719_469
    )


def _is_month(number: int) -> bool:
    return 1 <= number <= 12


def _is_day(number: int) -> bool:
    return 1 <= number <= 31


class _Day:
    """Up to three numbers and perhaps the name of a month, put in order at the end."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.named_month: int | None = None
        self.is_iso = False

    def add(self, number: int) -> bool:
        if len(self.numbers) == 3:
            return False
        self.numbers.append(number)
        return True

    def days(self) -> int | None:
        """Return days since the epoch, None when this is no date."""
        if not self.numbers:
            return None
        year, month, day = self._in_order([*self.numbers, 1, 1][:3])
        if not self.is_iso and 0 <= year <= 99:
            year += 2000 if year <= 49 else 1900
        return days_from_civil(year, month - 1, day) if _is_month(month) and _is_day(day) else None

    def _in_order(self, numbers: list[int]) -> tuple[int, int, int]:
        first, second, third = numbers
        if self.named_month is not None:
            return (second, self.named_month, first) if _is_day(first) else (first, self.named_month, second)
        if self.is_iso or not _is_day(first):
            return first, second, third
        return third, first, second


class _Time:
    """Up to four numbers: hour, minute, second, millisecond."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.hour_offset: int | None = None

    def add(self, number: int) -> bool:
        if len(self.numbers) == 4:
            return False
        self.numbers.append(number)
        return True

    def close(self, number: int) -> None:
        self.numbers = [*self.numbers, number, 0, 0, 0][:4]

    def expects(self, number: int) -> bool:
        limits = {1: 60, 2: 60, 3: 1000}
        return number < limits.get(len(self.numbers), 0)

    def ms(self) -> int | None:
        hour, minute, second, ms = [*self.numbers, 0, 0, 0, 0][:4]
        if self.hour_offset is not None:
            if hour > 12:
                return None
            hour = hour % 12 + self.hour_offset
        in_range = hour < 24 and minute < 60 and second < 60 and ms < 1000
        if not in_range and (hour, minute, second, ms) != (24, 0, 0, 0):
            return None
        return ((hour * 60 + minute) * 60 + second) * 1000 + ms


class _Zone:
    """Offset from UTC."""

    def __init__(self) -> None:
        self.sign: int | None = None
        self.hour: int | None = None
        self.minute: int | None = None

    def set(self, offset_hours: int) -> None:
        self.sign = -1 if offset_hours < 0 else 1
        self.hour, self.minute = abs(offset_hours), 0

    def expects(self, number: int) -> bool:
        return self.hour is not None and self.minute is None and number < 60

    @property
    def is_utc(self) -> bool:
        return self.hour == 0 and self.minute == 0

    def ms(self) -> int:
        if self.sign is None:
            return 0
        return self.sign * ((self.hour or 0) * 60 + (self.minute or 0)) * 60_000


_GIVEN_UP: Final = Token(Kind.INVALID)


class LegacyReader:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self.tokens = Tokens(text)
        self.day, self.time, self.zone = _Day(), _Time(), _Zone()
        self.has_number = False

    def read(self) -> int | None:
        """Return ms since the epoch, whatever their size, or None."""
        token = self._iso()
        if token is _GIVEN_UP:
            return None
        self.has_number = bool(self.day.numbers)
        while token.kind is not Kind.END:
            if not self._take(token):
                return None
            token = self.tokens.next()
        days, time_ms = self.day.days(), self.time.ms()
        return None if days is None or time_ms is None else days * _MS_PER_DAY + time_ms - self.zone.ms()

    def _iso(self) -> Token:
        """Read ISO 8601; return the first token that does not belong to it, which the old reader takes."""
        tokens = self.tokens
        if tokens.peek().is_sign:
            sign = tokens.next()
            if not tokens.peek().is_digits(6):
                return sign
            year = tokens.next().number
            if sign.text == "-" and year == 0:
                return sign
            self.day.add(-year if sign.text == "-" else year)
        elif tokens.peek().is_digits(4):
            self.day.add(tokens.next().number)
        else:
            return tokens.next()
        for is_valid in (_is_month, _is_day):
            if not tokens.skip("-"):
                break
            if not (tokens.peek().is_digits(2) and is_valid(tokens.peek().number)):
                return tokens.next()
            self.day.add(tokens.next().number)
        if not tokens.peek().is_word("time"):
            if tokens.peek().kind is not Kind.END:
                return tokens.next()
        elif not self._iso_time():
            return _GIVEN_UP
        self.day.is_iso = True
        return tokens.next()

    def _iso_time(self) -> bool:
        tokens = self.tokens
        tokens.next()
        if not (self._iso_number(24) and tokens.skip(":")):
            return False
        largest = 0 if self.time.numbers == [24] else 59
        if not self._iso_number(largest):
            return False
        if tokens.skip(":"):
            if not self._iso_number(largest):
                return False
            if tokens.skip("."):
                fraction = tokens.next()
                if fraction.kind is not Kind.NUMBER or (largest == 0 and fraction.number):
                    return False
                self.time.add(fraction.milliseconds)
        return self._iso_zone() and tokens.peek().kind is Kind.END

    def _iso_number(self, largest: int) -> bool:
        token = self.tokens.next()
        return token.is_digits(2) and token.number <= largest and self.time.add(token.number)

    def _iso_zone(self) -> bool:
        tokens = self.tokens
        if tokens.peek().is_z:
            tokens.next()
            self.zone.set(0)
            return True
        if not tokens.peek().is_sign:
            return True
        self.zone.sign = -1 if tokens.next().text == "-" else 1
        hour = tokens.next()
        if hour.is_digits(4):
            self.zone.hour, self.zone.minute = divmod(hour.number, 100)
        else:
            if not (hour.is_digits(2) and tokens.skip(":") and tokens.peek().is_digits(2)):
                return False
            self.zone.hour, self.zone.minute = hour.number, tokens.next().number
        return self.zone.hour < 24 and self.zone.minute < 60

    def _take(self, token: Token) -> bool:
        """Take a token in the tolerant way; False when the text cannot be a date any more."""
        if token.kind is Kind.NUMBER:
            self.has_number = True
            return self._take_number(token.number)
        if token.kind is Kind.WORD:
            return self._take_word(token)
        if token.is_sign and (self.zone.is_utc or self.time.numbers):
            self.has_number = True
            return self._take_offset(token)
        return not ((token.is_sign or token.text == ")") and self.has_number)

    def _take_number(self, number: int) -> bool:
        tokens, time = self.tokens, self.time
        if tokens.skip(":"):
            if tokens.skip(":"):
                return not time.numbers and time.add(number) and time.add(0)
            if not time.add(number):
                return False
            tokens.skip(".")
            return True
        if tokens.skip(".") and time.expects(number):
            time.add(number)
            fraction = tokens.next()
            if fraction.kind is not Kind.NUMBER:
                return False
            time.close(fraction.milliseconds)
            return True
        if self.zone.expects(number):
            self.zone.minute = number
            return True
        if time.expects(number):
            time.close(number)
            after = tokens.peek()
            return after.kind in (Kind.END, Kind.SPACE) or after.is_z or after.is_sign
        if not self.day.add(number):
            return False
        tokens.skip("-")
        return True

    def _take_word(self, token: Token) -> bool:
        if token.is_word("half") and self.time.numbers:
            self.time.hour_offset = token.number
        elif token.is_word("month"):
            self.day.named_month = token.number
            self.tokens.skip("-")
        elif token.is_word("zone") and self.has_number:
            self.zone.set(token.number)
        else:
            return not self.has_number and self.tokens.peek().kind is not Kind.NUMBER
        return True

    def _take_offset(self, sign: Token) -> bool:
        self.zone.sign = -1 if sign.text == "-" else 1
        digits = self.tokens.next() if self.tokens.peek().kind is Kind.NUMBER else Token(Kind.NUMBER)
        if self.tokens.peek().text == ":":
            self.zone.hour, self.zone.minute = digits.number, None
        elif digits.length in (1, 2):
            self.zone.hour, self.zone.minute = digits.number, 0
        elif digits.length in (3, 4):
            self.zone.hour, self.zone.minute = divmod(digits.number, 100)
        else:
            return False
        return True
