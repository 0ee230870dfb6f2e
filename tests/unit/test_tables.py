"""The declared tables are the contract: names, types, order, personal data, vocabularies (tables 2, 7, 8)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from connector.errors import ConfigError
from connector.tables import (
    ALIASES,
    DELETIONS,
    EVENTS,
    FLAGS,
    GROUPS,
    PRODUCT_FIELDS,
    PROFILES,
    REJECTED_REASONS,
    SPEC_PROPERTIES,
    TABLES,
    TYPES,
    Column,
    Table,
    TypeCode,
)
from connector.tables.layout import day_of, rejected_file, table_file
from connector.tables.model import Pii, camel, spelled

IDENTITY = """
row_id:S message_id:S source:S type:S event:S received_event:S user_id:S anonymous_id:S
distinct_id:S group_id:S channel:S timestamp:T original_timestamp:T sent_at:T received_at:T
"""
SPEC = """
affiliation:S brand:S cart_id:S category:S checkout_id:S coupon:S coupon_id:S coupon_name:S
creative:S currency:S discount:M filters:K image_url:S list_id:S name:S order_id:S payment_method:S
position:I price:M product_id:S products:P promotion_id:S quantity:Q query:S rating:S reason:S
recipient:S revenue:M review_body:S review_id:S share_message:S share_via:S shipping:M
shipping_method:S sku:S sorts:K step:I subtotal:M tax:M total:M url:S value:M variant:S
wishlist_id:S wishlist_name:S
"""
ADDITIONS = """
position_text:S categories:LS coupons:LS experiment_id:S experiment_name:S variation_id:S
variation_name:S page_name:S page_category:S line_index:I line_count:I order_revenue:M
order_revenue_from:S line_revenue:M refund_amount:M
"""
CONTEXT = """
context_page_path:S context_page_referrer:S context_page_search:S context_page_title:S
context_page_url:S context_campaign_source:S context_campaign_medium:S context_campaign_name:S
context_campaign_term:S context_campaign_content:S context_device_id:S context_device_type:S
context_device_name:S context_device_manufacturer:S context_device_model:S
context_device_advertising_id:S context_device_ad_tracking_enabled:B context_os_name:S
context_os_version:S context_app_name:S context_app_version:S context_app_build:S
context_app_namespace:S context_network_bluetooth:B context_network_cellular:B
context_network_wifi:B context_network_carrier:S context_location_city:S context_location_country:S
context_location_region:S context_location_latitude:D context_location_longitude:D
context_screen_width:I context_screen_height:I context_screen_density:D context_referrer_id:S
context_referrer_type:S context_locale:S context_timezone:S context_ip:S context_user_agent:S
context_user_agent_data_mobile:B context_user_agent_data_platform:S context_library_name:S
context_library_version:S
"""
BOOKKEEPING = """
flags:F violations:V proven:S mapping:S subscription:S captured_file:S captured_index:L
"""
PEOPLE = "row_id:S message_id:S source:S type:S user_id:S anonymous_id:S distinct_id:S"
TIMES = "timestamp:T original_timestamp:T sent_at:T received_at:T"
OTHERS = {
    "profiles": f"""{PEOPLE} group_id:S {TIMES}
        email:S phone:S name:S first_name:S last_name:S username:S title:S gender:S birthday:S avatar:S
        company_id:S company_name:S address_street:S address_city:S address_state:S address_postal_code:S
        address_country:S locale:S currency:S age:I created_at:T lifetime_value:M order_count:L
        traits:J context:J envelope:J {BOOKKEEPING}""",
    "groups": f"""{PEOPLE} group_id:S {TIMES}
        name:S industry:S website:S plan:S email:S phone:S avatar:S employees:L created_at:T
        traits:J context:J envelope:J {BOOKKEEPING}""",
    "aliases": f"{PEOPLE} previous_id:S {TIMES} context:J envelope:J {BOOKKEEPING}",
    "deletions": f"""row_id:S message_id:S source:S type:S subject_kind:S subject_hash:S {TIMES}
        envelope:J {BOOKKEEPING}""",
}
FLAG_CODES = """
event_renamed type_inferred message_id_missing identity_missing properties_not_object
context_not_object json_repaired time_zone_assumed time_from_number time_replaced time_unreadable
time_out_of_range time_missing text_from_number text_from_bool text_from_list text_from_json
text_replaced bool_coerced number_from_text money_marks_removed key_alias number_rounded
number_beyond_2_53 key_conflict number_unreadable number_from_bool number_not_finite
number_out_of_range number_not_integer type_mismatch products_from_text products_from_object
product_from_scalar products_unreadable products_missing product_skipped product_key_missing
price_missing quantity_assumed currency_missing currency_assumed currency_unknown revenue_missing
revenue_fallback amount_negative minor_units_suspected items_total_differs
"""
REASONS = """
not_json truncated too_large too_deep not_an_object type_unknown event_missing identity_missing
schema_violation mapping_failed delete_unproven journal_corrupt row_failed
"""
PERSONAL: dict[str, str] = {
    "id": """user_id anonymous_id distinct_id group_id previous_id context_device_id
        context_device_advertising_id context_referrer_id""",
    "direct": """recipient context_device_name email phone profiles.name first_name last_name username
        profiles.title gender birthday profiles.avatar company_id company_name address_street address_city
        address_state address_postal_code address_country""",
    "network": "context_ip",
    "quasi": """context_user_agent context_location_city context_location_region context_location_latitude
        context_location_longitude age""",
    "free text": """share_message review_body query context_page_path context_page_referrer
        context_page_search context_page_title context_page_url""",
    "pseudonym": "order_id checkout_id cart_id",
    "mixed": "properties context envelope traits",
}
COLUMNS = [(table, column) for table in TABLES for column in table.columns]


def declared(table: Table) -> list[str]:
    return [f"{column.name}:{column.code}" for column in table.columns]


def test_events_has_its_130_columns_in_order() -> None:
    expected = f"{IDENTITY} {SPEC} {ADDITIONS} {CONTEXT} properties:J context:J envelope:J {BOOKKEEPING}"

    assert declared(EVENTS) == expected.split()
    assert len(EVENTS.columns) == 130


def test_every_property_of_the_ecommerce_spec_is_a_column() -> None:
    assert [f"{column.name}:{column.code}" for column in SPEC_PROPERTIES] == SPEC.split()
    assert len(SPEC_PROPERTIES) == 45


def test_the_product_object_is_twelve_of_them_in_the_order_of_the_spec() -> None:
    names = "product_id sku category name brand variant price quantity coupon position url image_url".split()

    assert [name for name, _ in PRODUCT_FIELDS] == names
    assert all(EVENTS.by_name[name].code == code for name, code in PRODUCT_FIELDS)


@pytest.mark.parametrize("table", [PROFILES, GROUPS, ALIASES, DELETIONS], ids=lambda table: table.name)
def test_the_other_tables(table: Table) -> None:
    assert declared(table) == OTHERS[table.name].split()


def test_the_table_of_the_forgotten_has_no_column_for_an_id() -> None:
    assert (
        not {"user_id", "anonymous_id", "distinct_id", "group_id", "context", "traits"}
        & DELETIONS.by_name.keys()
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_every_row_has(table: Table) -> None:
    always = (
        "row_id source type flags violations proven mapping subscription captured_file captured_index".split()
    )

    assert [column.name for column in table.columns if not column.nullable] == (
        [*always[:3], "event", *always[3:]] if table is EVENTS else always
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_names_work_unquoted_and_are_short(table: Table) -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,39}", column.name) for column in table.columns)
    assert "day" not in table.by_name
    assert set(table.sort) <= table.by_name.keys()


def test_every_type_is_explained_and_every_column_has_one() -> None:
    assert TYPES.keys() == set(get_args(TypeCode))
    assert {column.code for _, column in COLUMNS} == set(get_args(TypeCode))


def personal(table: Table, column: Column) -> str:
    """The class of a column by the list above; a name with a table in front holds for that table only."""
    for kind, names in PERSONAL.items():
        if column.name in names.split() or f"{table.name}.{column.name}" in names.split():
            return kind
    return ""


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda item: item.name)
def test_personal_data_has_its_class(table: Table, column: Column) -> None:
    assert column.pii == personal(table, column)


def test_there_is_no_other_class_of_personal_data() -> None:
    assert {kind for kind in get_args(Pii) if kind} == set(PERSONAL)


def test_a_context_column_is_named_by_its_path() -> None:
    for column in EVENTS.columns:
        if column.name.startswith("context_"):
            path = column.sources[0].removeprefix("context.")
            assert column.name == "context_" + re.sub(r"([A-Z])", r"_\1", path).lower().replace(".", "_")


def test_vocabularies_are_closed() -> None:
    assert list(FLAGS) == FLAG_CODES.split()
    assert list(REJECTED_REASONS) == REASONS.split()
    assert all(FLAGS.values())
    assert all(REJECTED_REASONS.values())


ROOT = Path(__file__).parents[2] / "connector"


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node.func.id, node


def texts(node: ast.AST) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def flags_in_code() -> set[str]:
    """Codes written where a flag is made: directly, by a fitted number, or by the reading of a time."""
    found: set[str] = set()
    for name, node in calls("Flag", "Fitted", "Instant"):
        arguments = {"Flag": node.args[:1], "Fitted": node.args[1:], "Instant": node.args[2:]}[name]
        for argument in arguments:
            found |= texts(argument)
    return found


def test_every_flag_in_the_code_is_in_the_list() -> None:
    assert len(flags_in_code()) > 35
    assert flags_in_code() <= FLAGS.keys()


def test_every_flag_in_the_list_is_in_the_code() -> None:
    written: set[str] = set()
    for folder in ("values", "actions"):
        for path in (ROOT / folder).glob("*.py"):
            written |= texts(ast.parse(path.read_text(encoding="utf-8")))

    assert FLAGS.keys() <= written


def test_every_refusal_in_the_code_has_a_listed_reason() -> None:
    refusals = {text for _, node in calls("Refusal") for text in texts(node.args[0])}
    outright = {text for _, node in calls("_rejected") for part in node.args[1:2] for text in texts(part)}

    assert {*refusals, *outright} <= REJECTED_REASONS.keys()
    assert {"row_failed", "schema_violation", "delete_unproven"} <= {*refusals, *outright}


@pytest.mark.parametrize("name", ["", "Price", "1st", "größe", "a-b", "a b", "x" * 41])
def test_a_column_of_another_shape_of_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="lower snake case"):
        Column(name, "S", "")


def test_promoted_columns_come_last_and_take_no_name_twice() -> None:
    more = EVENTS.with_columns([Column("gift_note", "S", "", ("properties.gift_note",))])

    assert [column.name for column in more.columns[-2:]] == ["captured_index", "gift_note"]
    assert more.by_name["gift_note"].sources == ("properties.gift_note",)
    assert "gift_note" not in EVENTS.by_name
    for name in ("price", "day"):
        with pytest.raises(ConfigError, match="already has"):
            EVENTS.with_columns([Column(name, "S", "")])
    with pytest.raises(ConfigError, match="type must be"):
        EVENTS.with_columns([Column("gift_notes", "LS", "")])
    with pytest.raises(ConfigError, match="declared twice"):
        EVENTS.with_columns([Column("gift_note", "S", "")] * 2)


def test_spellings() -> None:
    assert camel("address_postal_code") == "addressPostalCode"
    assert spelled("properties", "order_id") == ("properties.order_id", "properties.orderId")
    assert spelled("properties", "price") == ("properties.price",)


@pytest.mark.parametrize(
    ("ms", "day"),
    [
        (1_773_489_600_000, "2026-03-14"),
        (1_773_446_400_000, "2026-03-14"),
        (1_773_446_399_999, "2026-03-13"),
        (-1, "1969-12-31"),
        (None, "2010-01-01"),
    ],
)
def test_the_day_is_the_utc_date(ms: int | None, day: str) -> None:
    assert day_of(ms) == day


def test_a_file_lies_in_the_folder_of_its_table_and_day() -> None:
    assert table_file("events", "2026-03-14", "h-1", 0, "aaaaaaaaaa") == (
        "tables/events/day=2026-03-14/h-1.p0.aaaaaaaaaa.parquet"
    )
    assert rejected_file("2026-03-14", "h-1", "aaaaaaaaaa") == (
        "rejected/day=2026-03-14/h-1.aaaaaaaaaa.ndjson.gz"
    )
