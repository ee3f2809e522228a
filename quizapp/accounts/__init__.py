"""Identity, sign-in, consent, demographics, regions, organisations, staff and their roles, notices to a citizen.

It never decides what somebody may play or win.
"""
