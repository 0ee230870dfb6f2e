"""Ecommerce events for the Mixpanel destination: believable ones, with odd values in any place."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.strategies.values import (
    Values,
    members,
    mostly,
    numbers,
    objects,
    scalars,
    values,
    weighted,
)

_AGENT_MARKS = (
    *(
        "Mozilla/5.0",
        "OPR/78.0.1",
        "Opera/9.80",
        "Opera Mini/36.2",
        "Mini",
        "BlackBerry 9900",
        "PlayBook",
        "bb10",
    ),
    *(
        "IEMobile/11.0",
        "WPDesktop",
        "rv:11.0",
        "SamsungBrowser/16.0",
        "Edge/18.1",
        "Edg/96.0.1",
        "FBIOS",
        "iPhone",
    ),
    *(
        "Chrome/96.0.4664.110",
        "CriOS/96.0.1",
        "UCWEB/2.0",
        "UCBrowser/13.4.0",
        "FxiOS/39.0",
        "Safari/605.1.15",
    ),
    *(
        "Version/15.1",
        "Android 11.0",
        "android 4.4.2",
        "Konqueror:4.5",
        "Firefox/95.0",
        "MSIE 10.0",
        "Trident/7.0",
    ),
    *("Gecko/20100101", "like Gecko", "Chrome/96", "Version/15", "Edge", "Edg/"),
)
_TIMES = (
    *(
        "2024-01-01T00:00:00.000Z",
        "2024-01-01T00:00:00+02:00",
        "2024-01-01 10:00",
        "2024-02-30",
        "2024-01",
        "2024",
    ),
    *(
        "1709294400",
        "1709294400000",
        "0",
        "2024-01-01T00:00:00.123456Z",
        "nope",
        "12:00",
        "2024-1-5",
        "20240105",
    ),
    *(
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "March 7, 2024 10:00",
        "2024-01-01T00:00:00-0800",
        "2024/03/05",
        "-5",
        "",
        " ",
    ),
    *(
        "2024-01-01T10:00",
        "2024-01-01t10:00:00z",
        "2024-13-45",
        "99999",
        "2024-01-01T25:00:00Z",
        "+002024-01-01",
    ),
    *(
        1709294400,
        1709294400000,
        0,
        -1,
        1.5,
        None,
        True,
        1e20,
        "2024-01-01T00:00:00.5",
        "2024-01-01T00:00:00,5Z",
    ),
)


_USUAL_TIMES = _TIMES[:5]
_TRAITS = (
    "created",
    "createdAt",
    "created_at",
    "email",
    "firstName",
    "lastName",
    "name",
    "username",
    "phone",
)
_IDS = ("order_id", "checkout_id", "id", "distinct_id", "$insert_id", "$user_id", "$anon_id")
_AMOUNTS = ("revenue", "total", "subtotal", "tax", "shipping", "discount", "order_number", "affiliation")
_NAMES = ("Order Completed",) * 5 + ("Product Added", "order completed", "", "Viewed")


class _Shop:
    """The events of one shop, whose data are odd one time in so many (0: never)."""

    def __init__(self, odd_in: int) -> None:
        self._odd_in = odd_in
        self._text = self._maybe(st.sampled_from(("Shirt", "p1", "USD", "Web", "ios", "de", "10.5")), scalars)
        self._id = self._maybe(st.sampled_from(("u1", "a-1", "ñ", "", "5")) | st.none())
        self._switch, self._number = self._maybe(st.booleans()), self._maybe(numbers)
        usual_time, odd_time = st.sampled_from(_USUAL_TIMES), st.sampled_from(_TIMES)
        self._common = {
            "userId": self._id,
            "anonymousId": self._id,
            "messageId": self._maybe(st.sampled_from(("m1", "m2", "m3", ""))),
            "timestamp": weighted((1, usual_time), (1 if odd_in else 0, odd_time)),
            "context": self._context(),
        }
        self.tracks = self._event(
            "track", event=self._maybe(st.sampled_from(_NAMES)), properties=self._properties()
        )
        self.pages = self._event("page", name=self._text, properties=self._properties()) | self._event(
            "screen"
        )
        traits = self._some(
            **dict.fromkeys((*_TRAITS, "plan", "$name", "group_id", "company"), self._text | self._id)
        )
        self.people = st.one_of(
            self._event("identify", traits=traits),
            self._event("group", groupId=self._id, traits=traits),
            self._event("alias", previousId=self._id),
        )

    def _maybe(self, usual: Values, odd: Values = values) -> Values:
        return mostly(usual, odd, odd_in=self._odd_in)

    def _some(self, **parts: Values) -> Values:
        return self._maybe(members(parts))

    def _event(self, kind: str, **parts: Values) -> Values:
        return members({**self._common, **parts}).map(lambda drawn: {"type": kind, **drawn})

    def _context(self) -> Values:
        text, switch, some = self._text, self._switch, self._some
        return some(
            app=some(name=text, namespace=text, build=text | self._number, version=text, platform=text),
            os=some(name=text, version=text | self._number),
            device=some(
                id=self._id, type=text, name=text, manufacturer=text, model=text, advertisingId=self._id,
                idfa=self._id, adTrackingEnabled=switch,
            ),
            network=some(bluetooth=switch, carrier=text, cellular=switch, wifi=switch),
            location=some(country=text, region=text),
            locale=text, library=some(name=text | self._id, version=text), ip=text, timezone=text,
            page=some(url=text, referrer=text), groupId=self._id,
            screen=some(width=self._number, height=self._number, density=self._number | st.just("2")),
            userAgent=self._maybe(st.lists(st.sampled_from(_AGENT_MARKS), max_size=4).map(" ".join)),
            campaign=some(source=text, medium=text, name=text, term=text, content=text),
            userAgentData=some(
                mobile=switch, platform=text, bitness=text, platformVersion=text, wow64=switch,
            ),
            integration=some(name=st.sampled_from(("Iterable", "Other"))),
        )  # fmt: skip

    def _products(self) -> Values:
        price = self._maybe(st.sampled_from((10.5, 0, "10.5", True, None, 25, "1e3")), scalars)
        count = self._maybe(st.sampled_from((1, 2, "2", None, True, 3)), scalars)
        words = ("category", "name", "brand", "variant", "coupon", "url", "image_url")
        ids = ("product_id", "sku", "distinct_id", "$insert_id")
        product = members(
            {
                **dict.fromkeys(ids, self._id), **dict.fromkeys(words, self._text),
                "price": price, "quantity": count, "position": count, "extra": values, "time": scalars,
            }
        )  # fmt: skip
        listed = st.lists(product, min_size=1, max_size=3)
        mixed = st.lists(product | scalars | st.lists(product, max_size=1), max_size=3)
        usual = weighted((6, listed), (1, product), (1, st.just([])), (1, st.none()))
        return self._maybe(usual, mixed | scalars)

    def _properties(self) -> Values:
        amount = self._maybe(st.sampled_from((10.5, 0, "10.5", None, 25)), scalars)
        increments = self._maybe(numbers | st.sampled_from(("2.5", "", " 5 ", "0x10")), scalars)
        return self._maybe(
            members(
                {
                    **dict.fromkeys(_AMOUNTS, amount), **dict.fromkeys(_IDS, self._id),
                    "currency": self._text,
                    "products": self._products(), "increment": objects(increments), "coupon": self._text,
                    "time": scalars, "ip": self._text, "$browser": self._text, "utm_source": self._text,
                    "mp_lib": values, "custom": self._switch, "extra": values,
                }
            )
        )  # fmt: skip


_SHOPS = (_Shop(0), _Shop(128), _Shop(12))
tracks = st.one_of(*(shop.tracks for shop in _SHOPS))
pages = st.one_of(*(shop.pages for shop in _SHOPS))
_people = st.one_of(*(shop.people for shop in _SHOPS))
_unheard = st.fixed_dictionaries({"type": scalars, "event": scalars}) | objects(values)
events = weighted((5, tracks), (1, pages), (5, _people), (1, _unheard))
