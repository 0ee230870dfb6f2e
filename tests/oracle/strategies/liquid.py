"""Liquid templates: outputs with filters and usual arguments, tags in each other, blanks taken away."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.strategies.values import members, values, weighted

Texts = st.SearchStrategy[str]

_NAMES = ("a", "b", "c", "event", "name", "list", "missing", "x")
_EXPRESSIONS = (
    *_NAMES,
    *("a.b", "list[0]", "list.first", "list.last", "list.size", "name.size", "a.b.c", 'a["b"]', "list[-1]"),
    *('"text"', "'Hello World'", "1", "2.5", "-3", "0", "true", "false", "nil", '"2024-03-05T10:20:30Z"'),
    *('"<b>&amp;"', '" x "', "'a,b,c'", "10", "7", "0.1", '"10"', '"ñ😀é"', '""', '"one two three"'),
)
_PLAIN_FILTERS = (
    *("abs", "capitalize", "ceil", "compact", "downcase", "escape", "escape_once", "first", "floor", "last"),
    *("json", "lstrip", "rstrip", "size", "strip", "strip_html", "strip_newlines", "upcase", "url_decode"),
    *("url_encode", "bogus", "map", "sort", "round"),
)
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("append", "prepend", "remove", "remove_first", "remove_last"), ('"l"', '"a"', '","', "1")
    ),
    **dict.fromkeys(("plus", "minus", "times", "divided_by", "modulo"), ("2", "0.5", "3", '"4"', "0", "-1")),
    **dict.fromkeys(("at_least", "at_most"), ("1", "2.5", "-3")),
    **dict.fromkeys(("replace", "replace_first", "replace_last"), ('"l", "L"', '"a", ""', '".", "$&"')),
    "default": ('"none"', "0", "name", "nil"),
    "join": ('", "', '"-"'),
    "split": ('","', '" "', '""'),
    "round": ("1", "2", "0"),
    "slice": ("0", "1, 2", "-2, 2", "-1"),
    "truncate": ("5", '7, "…"', '3, ""'),
    "truncatewords": ("1", '2, "--"'),
    "date": (
        '"%Y-%m-%d"',
        '"%d.%m.%y %H:%M"',
        '"%B %e, %Y"',
        '"%s"',
        '"%j %p"',
        '"%-d/%-m"',
        '"%a %b %L %%"',
    ),
}
_OPERATORS = ("==", "!=", "<", ">", "<=", ">=", "contains")
_expressions = st.sampled_from(_EXPRESSIONS)
_tests = st.sampled_from((*_EXPRESSIONS, "empty", "blank"))


@st.composite
def _filters(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        return draw(st.sampled_from(_PLAIN_FILTERS))
    name = draw(st.sampled_from(tuple(_ARGUMENTS)))
    return f"{name}: {draw(st.sampled_from(_ARGUMENTS[name]))}"


@st.composite
def _outputs(draw: st.DrawFn) -> str:
    piped = "".join(f" | {each}" for each in draw(st.lists(_filters(), max_size=3)))
    opening, closing = draw(st.sampled_from((("{{", "}}"),) * 6 + (("{{-", "-}}"), ("{{", "-}}"))))
    return f"{opening} {draw(_expressions)}{piped} {closing}"


@st.composite
def _comparisons(draw: st.DrawFn) -> str:
    left = draw(_expressions)
    return draw(st.sampled_from((left, f"{left} {draw(st.sampled_from(_OPERATORS))} {draw(_tests)}")))


_conditions = st.tuples(_comparisons(), st.sampled_from(("", " and ", " or ")), _comparisons()).map(
    lambda parts: "".join(parts) if parts[1] else parts[0]
)


@st.composite
def _tags(draw: st.DrawFn, of: Texts) -> str:
    body, other, test = draw(of), draw(of), draw(_conditions)
    value = f"{draw(_expressions)} | {draw(_filters())}"
    return draw(
        st.sampled_from(
            (
                f"{{% if {test} %}}{body}{{% else %}}{other}{{% endif %}}",
                f"{{% if {test} %}}{body}{{% elsif {draw(_conditions)} %}}{other}{{% endif %}}",
                f"{{%- unless {test} -%}} {body} {{%- endunless -%}}",
                f"{{% assign x = {value} %}}{body}{{{{ x }}}}",
                f"{{% capture x %}}{body}{{% endcapture %}}{other}{{{{ x }}}}",
                f"{{% comment %}}{body}{{% endcomment %}}{other}",
                f"{{% raw %}}{body}{{% endraw %}}",
                f"{{% for i in list %}}{body}{{% endfor %}}",
                f"{{% case a %}}{{% when 1 %}}{body}{{% endcase %}}",
                f"{{% bogus %}}{body}",
                f"{{% if {test} %}}{body}",
            )
        )
    )


_texts = st.sampled_from(("text", " ", "\n", "ñ😀", "a, b", "}}", "%}", "}", "$&", ""))
_plain = weighted((4, _outputs()), (1, _texts))
_inner = st.lists(_plain, max_size=2).map("".join)
templates = st.lists(weighted((2, _plain), (1, _tags(_inner))), min_size=1, max_size=3).map("".join)
payloads = members(dict.fromkeys(_NAMES[:6], values))
