"""What browsers send to the pages of accounts. Values that have to exist are checked by the services."""

from typing import Any

from flask import flash
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from quizapp.core.errors import AppError, InvalidInput
from quizapp.core.text import clean_line


def _line(value: Any) -> str:
    return clean_line(value, 200) if isinstance(value, str) else ""


def _code(value: Any) -> str:
    return "".join(_line(value).split())


def _text(label: Any, required: Any = None, *, longest: int = 100, filters: Any = (_line,), **kwargs: Any) -> StringField:
    validators = [InputRequired(required)] if required else []
    return StringField(label, validators=[*validators, Length(max=longest, message=_l("内容太长了。"))], filters=list(filters), **kwargs)


class SignInForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    phone = _text(_l("手机号"), _l("请填手机号。"), longest=32)
    code = _text(_l("短信验证码"), _l("请填短信里的 6 位数字。"), longest=16, filters=(_code,))


class PhoneForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    """Only the number: for sending a code without JavaScript."""

    phone = _text(_l("手机号"), _l("请填手机号。"), longest=32)


class RegisterForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    """The newcomer's form. Fields that are not asked are taken out by :meth:`ask_only`."""

    phone = _text(_l("手机号"), _l("请填手机号。"), longest=32)
    code = _text(_l("短信验证码"), _l("请填短信里的 6 位数字。"), longest=16, filters=(_code,))
    demographic_group = _text(_l("人群"), _l("请选您属于哪一类。"), longest=32)
    region = _text(_l("旗县区"), _l("请选旗县区。"), longest=20)
    age_band = _text(_l("年龄段"), _l("请选年龄段。"), longest=16)
    organisation = _text(_l("单位"), longest=64)
    org_q = _text(_l("查找单位"), longest=100)
    agree = BooleanField(validators=[InputRequired(_l("请看过说明再打勾同意。"))])

    def ask_only(self, names: set[str]) -> None:
        for name in [field.name for field in self if field.name not in names and field.name != "csrf_token"]:
            del self[name]

    def value(self, name: str) -> str:
        """What was sent in a field, "" where it is not asked."""
        return str(self[name].data or "") if name in self else ""

    def errors_of(self, name: str) -> list[str]:
        return list(self[name].errors) if name in self else []


class GuardianForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    guardian_phone = _text(_l("监护人手机号"), _l("请填监护人的手机号。"), longest=32)
    code = _text(_l("短信验证码"), _l("请填短信里的 6 位数字。"), longest=16, filters=(_code,))
    agree = BooleanField(validators=[InputRequired(_l("请监护人看过规则再打勾同意。"))])


class ProfileForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    nickname = _text(_l("昵称"), _l("昵称是 2 到 12 个字。"), longest=24)
    demographic_group = _text(_l("人群"), _l("请选您属于哪一类。"), longest=32)
    region = _text(_l("旗县区"), _l("请选旗县区。"), longest=20)
    town = _text(_l("苏木乡镇"), longest=20)
    age_band = _text(_l("年龄段"), longest=16)
    organisation = _text(_l("单位"), longest=64)
    org_q = _text(_l("查找单位"), longest=100)


class StaffSignInForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    username = _text(_l("工号"), _l("请填工号。"), longest=64)
    password = PasswordField(_l("密码"), validators=[InputRequired(_l("请填密码。"))])
    totp = _text(_l("动态验证码"), longest=16, filters=(_code,))


class PasswordForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    old_password = PasswordField(_l("现在的密码"), validators=[InputRequired(_l("请填现在的密码。"))])
    new_password = PasswordField(_l("新密码"), validators=[InputRequired(_l("请填新密码。"))])
    again = PasswordField(_l("再输一遍新密码"), validators=[InputRequired(_l("请再输一遍新密码。"))])

    def validate_again(self, field: Any) -> None:
        if field.data != self.new_password.data:
            raise ValidationError(_l("两次输入的不一样。"))


class TotpForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    totp = _text(_l("动态验证码"), _l("请填验证器里的 6 位数字。"), longest=16, filters=(_code,))


class StaffForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    """A new staff account; the choices of role and unit are set by the view."""

    username = _text(_l("工号"), _l("请填工号。"), longest=64)
    display_name = _text(_l("姓名"), _l("请填姓名。"), longest=64)
    role = SelectField(_l("角色"), validators=[InputRequired(_l("请选角色。"))])
    organisation_id = SelectField(_l("管辖范围"), validators=[InputRequired(_l("请选单位。"))])


class RoleForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    role = SelectField(_l("角色"), validators=[InputRequired(_l("请选角色。"))])
    organisation_id = SelectField(_l("管辖范围"), validators=[InputRequired(_l("请选单位。"))])


class GroupForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    code = _text(_l("代码"), longest=32)
    name = _text(_l("名称"), _l("请填名称。"), longest=64)


class OrganisationForm(FlaskForm):  # type: ignore[misc]  # the library is untyped
    name = _text(_l("名称"), _l("请填名称。"), longest=100)
    parent_id = SelectField(_l("上级单位"), validators=[InputRequired(_l("请选上级单位。"))])
    region_code = SelectField(_l("所在旗县区"))
    is_host = BooleanField(_l("可以主办、协办活动"))


def show_refusal(form: FlaskForm, error: AppError) -> int:
    """Put a refusal under the fields it belongs to, or above the page; returns the status to answer with."""
    fields = error.fields if isinstance(error, InvalidInput) else {}
    placed = [name for name in fields if name in form]
    for name in placed:
        form[name].errors = [*form[name].errors, fields[name]]
    if not placed:
        flash(error.message, "error")
    return error.http_status
