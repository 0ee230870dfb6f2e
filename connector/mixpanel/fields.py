"""The six actions and their fields: Segment's keys, labels, types and default mappings.

Source: action-destinations 3.497.0, destinations/mixpanel (fields of the actions, presets, settings).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.events import Json
from connector.mapping.fields import ActionField, FieldType


@dataclass(frozen=True, slots=True)
class MixpanelAction:
    """One partnerAction of the destination."""

    partner_action: str
    title: str
    description: str
    fields: tuple[ActionField, ...]
    batches: bool = False
    """Segment can run it for a batch of events, where empty texts at the root are kept."""

    def default_mapping(self) -> dict[str, Json]:
        """What Segment fills a new mapping of this action with."""
        return {field.key: field.default for field in self.fields if field.default is not None}


def _path(path: str) -> Json:
    return {"@path": f"$.{path}"}


def _first(path: str, other: str) -> Json:
    """The default of a field with two places: the first when it is there and not null, else the second."""
    return {"@if": {"exists": _path(path), "then": _path(path), "else": _path(other)}}


def _field(
    key: str, label: str, path: str, description: str, kind: FieldType = "string", *, null: bool = False
) -> ActionField:
    return ActionField(key, label, kind, description, allow_null=null, default=_path(path))


def _members(kinds: Mapping[str, tuple[str, FieldType]]) -> tuple[ActionField, ...]:
    return tuple(ActionField(key, label, kind) for key, (label, kind) in kinds.items())


EVENT_NAME = ActionField(
    "event", "Event Name", "string", "Name of the event in Mixpanel.", required=True, default=_path("event")
)
_UTM = {
    "utm_source": ("UTM Source", "source"),
    "utm_medium": ("UTM Medium", "medium"),
    "utm_campaign": ("UTM Campaign", "name"),
    "utm_term": ("UTM Term", "term"),
    "utm_content": ("UTM Content", "content"),
}
_USER_AGENT_DATA: Mapping[str, tuple[str, FieldType]] = {
    "mobile": ("Mobile", "boolean"),
    "platform": ("Platform", "string"),
    "architecture": ("Architecture", "string"),
    "bitness": ("Bitness", "string"),
    "model": ("Model", "string"),
    "platformVersion": ("PlatformVersion", "string"),
    "uaFullVersion": ("UaFullVersion", "string"),
    "wow64": ("wow64", "boolean"),
}
_PRODUCT: Mapping[str, tuple[str, FieldType]] = {
    "product_id": ("Product Id", "string"),
    "sku": ("SKU", "string"),
    "category": ("Category", "string"),
    "name": ("Name", "string"),
    "brand": ("Brand", "string"),
    "variant": ("Variant", "string"),
    "price": ("Price", "number"),
    "quantity": ("Quantity", "integer"),
    "coupon": ("Coupon", "string"),
    "position": ("position", "number"),
    "url": ("url", "string"),
    "image_url": ("Image url", "string"),
}

EVENT_FIELDS: tuple[ActionField, ...] = (
    ActionField("distinct_id", "Distinct ID", "string", "Who did it: `distinct_id` and `id`.",
                default=_first("userId", "anonymousId")),
    _field("anonymous_id", "Anonymous ID", "anonymousId", "The device or browser: `$anon_id`, `$device_id`."),
    _field("user_id", "User ID", "userId", "The known person: `$user_id`, `$identified_id`."),
    _field("group_id", "Group ID", "context.groupId", "The account behind the event: `$group_id`."),
    _field("insert_id", "Insert ID", "messageId",
           "Makes copies of an event one: `$insert_id`. Without it one is derived from the event."),
    _field("time", "Timestamp", "timestamp",
           "When it happened: `time` in ms. Without it the time of arrival.", "datetime"),
    _field("app_name", "App Name", "context.app.name", "`$app_name`"),
    _field("app_namespace", "App Namespace", "context.app.namespace", "`$app_namespace`"),
    _field("app_build", "App Build", "context.app.build", "`$app_build_number`"),
    _field("app_version", "App Version", "context.app.version", "`$app_version_string`"),
    _field("os_name", "OS Name", "context.os.name", "`$os`"),
    _field("os_version", "OS Version", "context.os.version", "`$os_version`"),
    _field("device_id", "Device ID", "context.device.id", "Is not sent."),
    _field("device_type", "Device Type", "context.device.type", "`$device_type`"),
    _field("device_name", "Device Name", "context.device.name", "`$device_name` and `$device`"),
    _field("device_manufacturer", "Device Manufacturer", "context.device.manufacturer", "`$manufacturer`"),
    _field("device_model", "Device Model", "context.device.model", "`$model`"),
    _field("bluetooth", "Bluetooth Enabled", "context.network.bluetooth", "`$bluetooth_enabled`", "boolean"),
    _field("carrier", "Carrier", "context.network.carrier", "`$carrier`"),
    _field("cellular", "Cellular Enabled", "context.network.cellular", "`$cellular_enabled`", "boolean"),
    _field("wifi", "Wifi", "context.network.wifi", "`$wifi_enabled`", "boolean"),
    _field("country", "Country", "context.location.country", "`mp_country_code`"),
    _field("region", "Region", "context.location.region", "Is not sent."),
    _field("language", "Language", "context.locale", "`$locale`"),
    _field("library_name", "Library Name", "context.library.name", "`mp_lib`, as `Segment Actions: <name>`"),
    _field("library_version", "Library Version", "context.library.version", "`$lib_version`"),
    _field("ip", "IP Address", "context.ip", "`ip`, from which Mixpanel tells the place"),
    ActionField("idfa", "Identifier For Advertiser (IDFA)", "string", "`$ios_ifa`",
                default=_first("context.device.advertisingId", "context.device.idfa")),
    _field("url", "URL", "context.page.url", "`$current_url`"),
    _field("screen_width", "Screen width", "context.screen.width", "`$screen_width`, pixels", "number"),
    _field("screen_height", "Screen height", "context.screen.height", "`$screen_height`, pixels", "number"),
    _field("screen_density", "Screen density", "context.screen.density", "`$screen_density`", "number"),
    _field("referrer", "Referrer", "context.page.referrer", "`$referrer`"),
    _field("userAgent", "User Agent", "context.userAgent",
           "Browser and version are read from it: `$browser`, `$browser_version`."),
    _field("advertising_id", "Advertising ID", "context.device.advertisingId", "`advertising_id`"),
    _field("ad_tracking_enabled", "Ad Tracking Enabled", "context.device.adTrackingEnabled",
           "`ad_tracking_enabled`, as text"),
    _field("timezone", "Timezone", "context.timezone", "`timezone`"),
    _field("app_platform", "App Platform", "context.app.platform", "`app_platform`"),
    ActionField("name", "Event Original Name", "string", "`event_original_name`: the name as it was sent",
                default=_first("event", "name")),
    _field("event_properties", "Event Properties", "properties",
           "Sent as they are, over everything else but the reserved "
           "`time id $anon_id distinct_id $group_id $insert_id $user_id`.", "object"),
    ActionField("context", "Event context", "object", "Only `integration.name` is read, for `$source`.",
                default=_path("context"), hidden=True),
    ActionField("utm_properties", "UTM Properties", "object", "The campaign: `utm_source` and so on.",
                properties=_members({key: (label, "string") for key, (label, _) in _UTM.items()}),
                default={key: _path(f"context.campaign.{path}") for key, (_, path) in _UTM.items()}),
    ActionField("enable_batching", "Batch Data to Mixpanel", "boolean", "Whether Segment batches; read only "
                "to check it. Here the setting `batch` decides.", default=True),
    ActionField("batch_size", "Batch Size", "number", "Events of a batch at most; read only to check it.",
                minimum=1, maximum=2000, default=1000),
    ActionField("userAgentData", "User Agent Data", "object", "Client hints: `$mobile $platform $bitness "
                "$platformVersion $uaFullVersion $wow64`; architecture and model are not sent.",
                properties=_members(_USER_AGENT_DATA),
                default={key: _path(f"context.userAgentData.{key}") for key in _USER_AGENT_DATA}),
)  # fmt: skip

_PER_PRODUCT = ActionField(
    "generatePurchaseEventPerProduct", "Generate Purchase Event Per Product", "boolean",
    "One `Product Purchased` event for each product, behind the order's own event.", default=True,
)  # fmt: skip
_PRODUCTS = ActionField(
    "products", "Products", "object", "Products of the order; keys the mapping does not name are left out.",
    multiple=True, properties=_members(_PRODUCT), additional_properties=True,
    default={"@arrayPath": ["$.properties.products", {key: {"@path": key} for key in _PRODUCT}]},
)  # fmt: skip
_IP = _field("ip", "IP Address", "context.ip", "`$ip`, from which Mixpanel tells the place")
_USER = _field("user_id", "User ID", "userId", "The known person; null is kept.", null=True)
_ANONYMOUS = _field("anonymous_id", "Anonymous ID", "anonymousId", "The device or browser.", null=True)

_ALL = (
    MixpanelAction("trackEvent", "Track Event", "One event of `/import`.", (EVENT_NAME, *EVENT_FIELDS),
                   batches=True),
    MixpanelAction("trackPurchase", "Track Purchase",
                   "The order as one event of `/import`, and one `Product Purchased` per product behind it.",
                   (_PER_PRODUCT, *EVENT_FIELDS, _PRODUCTS, EVENT_NAME), batches=True),
    MixpanelAction("identifyUser", "Identify User",
                   "`$identify` for `/track` when there is an anonymous id, then the traits for `/engage`.",
                   (_IP, _USER, _ANONYMOUS,
                    _field("traits", "User Properties", "traits", "What is set on the person.", "object"))),
    MixpanelAction("groupIdentifyUser", "Group Identify User", "The group's traits for `/groups`.",
                   (ActionField("group_key", "Group Key", "string",
                                "Mixpanel's name for this kind of group; `$group_id` without it."),
                    ActionField("group_id", "Group ID", "string",
                                "The group; a trait named like the group key wins over it.", required=True,
                                default=_path("groupId")),
                    _field("traits", "Group Properties", "traits", "What is set on the group.", "object"))),
    MixpanelAction("alias", "Alias", "`$create_alias` for `/track`, also when both ids are missing.",
                   (ActionField("alias", "Alias", "string", "The new id; null is kept.", allow_null=True,
                                default=_first("userId", "anonymousId")),
                    _field("distinct_id", "Distinct ID", "previousId", "The id it is joined with."))),
    MixpanelAction("incrementProperties", "Increment Properties", "Numbers to add, for `/engage`.",
                   (_IP, _USER, _ANONYMOUS,
                    ActionField("increment", "Increment Numerical Properties", "object",
                                "Property name to what is added; at most 20.", required=True,
                                default=_path("properties.increment")))),
)  # fmt: skip
MIXPANEL_ACTIONS: Mapping[str, MixpanelAction] = {action.partner_action: action for action in _ALL}
"""partnerAction to its declaration, in Segment's order."""

SETTINGS_FIELDS: tuple[ActionField, ...] = (
    ActionField("projectToken", "Project Token", "string", "`token` and `$token` of profiles and aliases.",
                required=True),
    ActionField("apiSecret", "Secret Key", "password", "Authorises `/import`. Nothing is sent from here: any "
                "text will do.", required=True),
    ActionField("apiRegion", "Data Residency", "string", "Which Mixpanel, word for word.",
                choices=("US 🇺🇸", "EU 🇪🇺", "IN 🇮🇳")),
    ActionField("sourceName", "Source Name", "string", "Sent as `segment_source_name`."),
    ActionField("strictMode", "Strict Mode", "string", "Whether Mixpanel validates each record.",
                choices=("1", "0")),
)  # fmt: skip
"""Segment's own settings of the destination."""
