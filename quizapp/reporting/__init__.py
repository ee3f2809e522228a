"""Figures: participation, dashboards, exports. It reads; it never changes what it counts."""
