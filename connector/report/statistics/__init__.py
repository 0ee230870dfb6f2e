"""Numbers computed in Python on aggregated rows. Pure; scipy is imported when asked."""

from connector.report.statistics.averages import mixpanel_weighted
from connector.report.statistics.comparison import SIGNIFICANT, Arm, Comparison, compare, normal_p_value
from connector.report.statistics.corrections import CORRECTIONS, Correction, adjusted
from connector.report.statistics.power import detectable_lift, smallest_detectable_lift
from connector.report.statistics.segments import LEAST_ENTRIES, ratio, segment_p_value
from connector.report.statistics.sequential import always_valid_p_value, always_valid_width
from connector.report.statistics.split import SRM_ALARM, srm_p_value

__all__ = [
    "CORRECTIONS",
    "LEAST_ENTRIES",
    "SIGNIFICANT",
    "SRM_ALARM",
    "Arm",
    "Comparison",
    "Correction",
    "adjusted",
    "always_valid_p_value",
    "always_valid_width",
    "compare",
    "detectable_lift",
    "mixpanel_weighted",
    "normal_p_value",
    "ratio",
    "segment_p_value",
    "smallest_detectable_lift",
    "srm_p_value",
]
