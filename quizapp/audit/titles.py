"""Chinese titles of audit codes; a code without one is shown as it is, and a test asks for each."""

from quizapp.core.text import N_

TITLES: dict[str, str] = {
    "staff.signed_in": N_("登录后台"),
}
