"""ISO 4217: codes in use and those that shops still send for closed currencies, with their minor units."""

from __future__ import annotations

from collections.abc import Mapping

CURRENCIES = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW "
    "KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD "
    "NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE "
    "SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED "
    "VES VND VUV WST XAF XAG XAU XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG ZWL".split()
)

_USUAL_DIGITS = 2
_OTHER_DIGITS: Mapping[str, int] = {
    code: digits
    for digits, codes in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (0, "XAG XAU XDR XPD XPT XSU XUA"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for code in codes.split()
}
"""The second line: ISO gives metals and units of account no minor unit, so there is nothing smaller."""
MINOR_DIGITS = frozenset((_USUAL_DIGITS, *_OTHER_DIGITS.values()))
"""Every number of decimal digits that a minor unit has."""


def minor_digits(code: str | None) -> int:
    """Decimal digits of a currency's minor unit: 2 for USD and where the code is unknown, 0 for JPY."""
    return _USUAL_DIGITS if code is None else _OTHER_DIGITS.get(code, _USUAL_DIGITS)
