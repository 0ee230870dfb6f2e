"""Mappings: all directives in each other, with usual arguments, odd ones and wrong ones."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.strategies.values import (
    KEYS,
    Values,
    members,
    mostly,
    objects,
    scalars,
    texts,
    values,
    weighted,
)

_ODD_PATHS = (
    *(
        "",
        ".",
        "$.",
        "$",
        "$.a.$.b",
        "a$.b",
        "$.a..b",
        ".a",
        "a.",
        "$.a[-1]",
        "$.list[*].a",
        "$.a['b']",
        '$["a"]',
    ),
    *(
        "$.['a'].b",
        "$.list[0",
        "$.list0]",
        "$.a[b]",
        "a\\.b",
        " a",
        "$. a",
        "it's",
        "$.q r",
        "$.x.y",
        "__proto__",
    ),
    *("$.list.length", "$.name.length", "$.name[1]", "$.list.01", "$.list[0].a", "$.name.0", "a.__proto__.b"),
)


def _joined(steps: list[tuple[str, str]]) -> str:
    return "".join(form.format(key) for form, key in steps)


_STEPS = st.tuples(st.sampled_from((".{}", ".{}", ".{}", "[{}]", "['{}']", '["{}"]')), st.sampled_from(KEYS))
paths = (
    st.sampled_from(KEYS).map("$.{}".format)
    | st.lists(_STEPS, min_size=1, max_size=4).map(_joined).map("${}".format)
    | st.sampled_from(_ODD_PATHS)
)
_PLACEHOLDERS = st.tuples(
    st.sampled_from(("{{{{{}}}}}", "{{{{ {} }}}}", "{{{{{{{}}}}}}}", "{{{}}}}}", "{}")), paths
).map(lambda pair: pair[0].format(pair[1].removeprefix("$.")))
templates = st.lists(_PLACEHOLDERS | texts, max_size=4).map("".join)


def _mostly(usual: Values, odd: Values = values) -> Values:
    return mostly(usual, odd, odd_in=24)


def _options(**options: Values) -> Values:
    """An object with these options, seldom with some left out or with others, more seldom no object."""
    return weighted(
        (20, st.fixed_dictionaries(options)), (5, members(options)), (1, objects(values, 2)), (1, scalars)
    )


_path = st.fixed_dictionaries({"@path": paths})
_texty = paths | st.just("Hello") | _path | _path | _path
_short = st.sampled_from(
    ("a", "l", "ll", "é", ".", "$", "[", "Hello", "aa", "ß", "K", "/", "-", "^a", "0123456789", "x" * 11, "")
)
_replacements = _short | st.sampled_from(("$&", "$$", "$`", "$'", "$1", "$<a>", "[$&]"))


def _directives(of: Values) -> Values:
    """Any directive, with these values in it."""
    any_value = of | _path
    shape = objects(of, 3)
    options = {
        "@path": _mostly(paths, any_value),
        "@template": _mostly(templates, any_value),
        "@literal": any_value,
        "@excludeWhenNull": any_value | shape,
        "@if": _options(exists=_path | any_value, then=any_value, **{"else": any_value})
        | _options(blank=_path | any_value, then=any_value, **{"else": any_value}),
        "@case": _options(operator=_mostly(st.sampled_from(("lower", "upper"))), value=_mostly(_texty)),
        "@replace": _options(pattern=_mostly(_short), value=_mostly(_texty))
        | _options(
            pattern=_short,
            replacement=_replacements,
            value=_texty,
            ignorecase=_mostly(st.booleans()),
            pattern2=_mostly(_short),
            replacement2=_mostly(_replacements),
            **{"global": _mostly(st.booleans())},
        ),
        "@arrayPath": _mostly(
            st.tuples(_mostly(paths | _path)).map(list)
            | st.tuples(_mostly(paths | _path), _mostly(shape | shape | _path)).map(list)
        ),
        "@flatten": _options(separator=_mostly(st.sampled_from((".", "_", "", "::"))), value=any_value)
        | _options(separator=st.just("."), value=any_value, omitArrays=st.booleans() | scalars),
        "@json": _options(
            mode=_mostly(st.sampled_from(("encode", "decode", "encode", "decode", "Encode"))),
            value=any_value | texts,
        ),
        "@merge": _options(
            direction=_mostly(st.sampled_from(("left", "right", "left", "right", "Left"))),
            objects=_mostly(st.lists(_path | shape | any_value, max_size=3)),
        ),
        "@transform": _options(apply=_mostly(shape | shape | _path), mapping=_mostly(shape | shape | _path)),
    }
    single = st.one_of(*(st.fixed_dictionaries({name: argument}) for name, argument in options.items()))
    unknown = st.fixed_dictionaries({"@bogus": any_value})
    beside = st.dictionaries(st.sampled_from(("_metadata", "other", "@path", "@literal")), of, max_size=1)
    crowded = st.tuples(single, beside).map(lambda pair: {**pair[0], **pair[1]})
    return weighted((40, single), (1, unknown), (1, crowded))


def _deeper(of: Values) -> Values:
    inner = weighted((6, _directives(of)), (2, _path), (2, objects(of, 3)), (1, st.lists(of, max_size=3)))
    return weighted((11, inner), (1, scalars))


mapping_values = _deeper(_deeper(_path | scalars))

_ROOT = st.fixed_dictionaries(
    {
        "__segment_internal_directive": _mostly(
            st.fixed_dictionaries(
                {"@transform": st.fixed_dictionaries({"apply": objects(mapping_values, 3)})}
            ),
            _directives(scalars),
        )
    },
    optional={"a": mapping_values, "b": mapping_values},
)
_FIELDS = st.dictionaries(st.sampled_from(KEYS[:6]), mapping_values, min_size=1, max_size=3)
mappings = weighted((1, _ROOT), (2, mapping_values), (12, _FIELDS))
"""Whole mappings: mostly objects of fields, at times a directive or a scalar, at times a root directive."""
