import datetime as dt
import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from quizapp.accounts import queries, services
from quizapp.accounts.errors import (
    AccountBlocked,
    AgeBandKept,
    BadNickname,
    GuardianConsentRequired,
    GuardianPhoneSame,
    OpenClaims,
    RecentlyDeleted,
    UnknownAgeBand,
    UnknownConsentVersion,
    UnknownGroup,
    UnknownOrganisation,
    UnknownRegion,
)
from quizapp.accounts.models import Citizen, Consent, Guardian, Identity, SmsCode, UserSession
from quizapp.accounts.services import citizens
from quizapp.audit.models import AuditEntry
from quizapp.core.clock import utc_now
from quizapp.core.db import db, transaction
from quizapp.core.errors import NotFound
from tests.accounts.helpers import at_once, issue, vault
from tests.factories.accounts import bearer_for, count_citizens, make_citizen, make_organisation, make_phone, reference_data

pytestmark = pytest.mark.usefixtures("app")
DAY = dt.timedelta(days=1)
ADULT = services.ProfileChange(
    demographic_group="resident", region_code="150402", age_band="18_59", consent_version=services.CONSENT_VERSION
)
CHILD = replace(ADULT, demographic_group="youth", age_band="under_14")


def register(phone: str, change: services.ProfileChange = ADULT, now: dt.datetime | None = None, **kw: str) -> uuid.UUID:
    with transaction():
        return services.register_citizen(vault(), phone, change, now or utc_now(), **kw)


def change(citizen_id: uuid.UUID, now: dt.datetime | None = None, **values: object) -> None:
    with transaction():
        services.update_profile(citizen_id, services.ProfileChange(**values), now or utc_now())  # type: ignore[arg-type]


def delete(citizen_id: uuid.UUID, now: dt.datetime | None = None, **kw: bool) -> None:
    with transaction():
        services.delete_citizen(citizen_id, now or utc_now(), **kw)


def test_a_newcomer_registers_with_everything_at_once() -> None:
    reference_data()
    phone = make_phone()
    profile = queries.get_profile(register(phone))
    assert profile.is_registered
    assert (profile.demographic_group, profile.region_code, profile.age_band) == ("resident", "150402", "18_59")
    assert profile.consent_version == services.CONSENT_VERSION
    assert queries.find_masked_phone(vault(), profile.citizen_id) == f"{phone[:3]}****{phone[-4:]}"


def test_the_number_is_encrypted_and_found_by_its_tag() -> None:
    reference_data()
    phone = make_phone()
    citizen_id = register(phone)
    identity = db.session.scalars(sa.select(Identity)).one()
    assert phone.encode() not in identity.subject_encrypted + identity.subject_tag
    assert queries.find_citizen_by_phone(vault(), phone) == citizen_id
    assert queries.get_phone(vault(), citizen_id) == phone


def test_somebody_known_keeps_what_is_there_and_fills_blanks() -> None:
    phone = make_phone()
    citizen = make_citizen("farmer_herder", "150423", None, phone=phone)
    assert register(phone) == citizen.id
    profile = queries.get_profile(citizen.id)
    assert (profile.demographic_group, profile.region_code, profile.age_band) == ("farmer_herder", "150423", "18_59")


def test_two_devices_at_once_make_one_citizen(app: Flask) -> None:
    reference_data()
    phone = make_phone()

    def enter(number: int) -> uuid.UUID:
        with transaction():
            return services.find_or_create_citizen(vault(), phone, utc_now())

    results = at_once(app, enter, 8)
    assert len(set(results)) == 1
    assert isinstance(results[0], uuid.UUID)
    assert count_citizens() == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Identity)) == 1


def test_registering_twice_at_once_makes_one_citizen(app: Flask) -> None:
    reference_data()
    phone = make_phone()
    results = at_once(app, lambda _: register(phone), 6)
    assert len(set(results)) == 1
    assert count_citizens() == 1


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"demographic_group": "nobody"}, UnknownGroup),
        ({"region_code": "999999"}, UnknownRegion),
        ({"region_code": "150400"}, UnknownRegion),
        ({"organisation_id": uuid.uuid4()}, UnknownOrganisation),
        ({"age_band": "13"}, UnknownAgeBand),
        ({"nickname": "x"}, BadNickname),
        ({"nickname": "13800001111"}, BadNickname),
        ({"consent_version": "2020-01"}, UnknownConsentVersion),
    ],
)
def test_values_that_do_not_exist_are_refused_and_nothing_is_written(values: dict[str, object], error: type[Exception]) -> None:
    citizen = make_citizen()
    before = queries.get_profile(citizen.id)
    with pytest.raises(error):
        change(citizen.id, **{"demographic_group": "youth", **values})
    assert queries.get_profile(citizen.id) == before
    with pytest.raises(error):
        register(make_phone(), replace(ADULT, **values))
    assert count_citizens() == 1


def test_a_stopped_organisation_cannot_be_chosen() -> None:
    unit = make_organisation("旧单位")
    citizen = make_citizen(organisation=unit)
    with transaction():
        db.session.get_one(type(unit), unit.id).is_active = False
    with pytest.raises(UnknownOrganisation):
        change(make_citizen().id, organisation_id=unit.id)
    assert queries.get_profile(citizen.id).organisation_id == unit.id


def test_a_town_is_as_good_as_its_county_and_an_organisation_can_be_emptied() -> None:
    unit = make_organisation()
    citizen = make_citizen(organisation=unit)
    assert queries.get_profile(citizen.id).organisation_path == unit.path
    change(citizen.id, region_code="150402001", clears_organisation=True)
    profile = queries.get_profile(citizen.id)
    assert (profile.region_code, profile.organisation_id, profile.organisation_path) == ("150402001", None, None)


def test_under_14_nothing_is_stored_without_a_guardian() -> None:
    reference_data()
    phone = make_phone()
    assert services.needs_guardian(vault(), phone, "under_14")
    with pytest.raises(GuardianConsentRequired):
        register(phone, CHILD)
    assert count_citizens() == 0
    assert queries.find_citizen_by_phone(vault(), phone) is None


def test_under_14_the_guardian_gives_the_consent() -> None:
    reference_data()
    phone, guardian_phone = make_phone(), make_phone()
    citizen_id = register(phone, CHILD, guardian_phone=guardian_phone)
    profile = queries.get_profile(citizen_id)
    assert profile.is_registered
    assert profile.guardian_confirmed_at is not None
    assert db.session.scalars(sa.select(Consent.given_by)).all() == ["guardian"]
    guardian = db.session.scalars(sa.select(Guardian)).one()
    assert guardian_phone.encode() not in guardian.phone_encrypted
    assert queries.find_citizen_by_phone(vault(), guardian_phone) is None


def test_a_child_cannot_be_the_own_guardian() -> None:
    reference_data()
    phone = make_phone()
    with pytest.raises(GuardianPhoneSame):
        register(phone, CHILD, guardian_phone=phone)
    assert count_citizens() == 0
    citizen = make_citizen(phone=phone, age_band=None)
    with pytest.raises(GuardianPhoneSame), transaction():
        services.confirm_guardian(vault(), citizen.id, phone, utc_now())


def test_a_profile_cannot_become_under_14_without_a_guardian() -> None:
    citizen = make_citizen(age_band=None)
    with pytest.raises(GuardianConsentRequired):
        change(citizen.id, age_band="under_14")
    with transaction():
        services.confirm_guardian(vault(), citizen.id, make_phone(), utc_now())
    change(citizen.id, age_band="under_14")
    assert queries.get_profile(citizen.id).age_band == "under_14"


def test_a_minor_does_not_grow_up_for_the_sake_of_a_draw() -> None:
    now = utc_now()
    citizen = make_citizen(age_band=None, now=now)
    change(citizen.id, now, age_band="14_17")
    for later in (dt.timedelta(minutes=1), 89 * DAY):
        with pytest.raises(AgeBandKept):
            change(citizen.id, now + later, age_band="18_59")
    change(citizen.id, now + 90 * DAY, age_band="18_59")
    change(citizen.id, now + 90 * DAY, age_band="14_17")
    assert queries.get_profile(citizen.id).age_band == "14_17"


def test_the_same_consent_twice_is_one_and_a_withdrawn_one_can_be_given_again() -> None:
    citizen, now = make_citizen(), utc_now()
    for _ in range(2):
        with transaction():
            services.give_consent(citizen.id, "publicity", "2026-11", now)
    with transaction():
        services.withdraw_consent(citizen.id, "publicity", now)
    with transaction():
        services.give_consent(citizen.id, "publicity", "2026-11", now + DAY)
    given = [consent for consent in queries.list_consents(citizen.id) if consent.purpose == "publicity"]
    assert [consent.withdrawn_at is None for consent in given] == [True, False]
    with pytest.raises(ValueError, match="account"), transaction():
        services.withdraw_consent(citizen.id, queries.ACCOUNT, now)


def test_a_blocked_account_does_not_come_in() -> None:
    phone = make_phone()
    make_citizen(phone=phone, status="blocked")
    with pytest.raises(AccountBlocked):
        register(phone)


# ---- leaving


def test_deleting_leaves_a_pseudonym_and_nothing_personal() -> None:
    reference_data()
    phone, guardian_phone = make_phone(), make_phone()
    issue(phone)
    citizen_id = register(phone, replace(CHILD, organisation_id=make_organisation().id, nickname="草原秀兰"), guardian_phone=guardian_phone)
    bearer_for(citizen_id)
    delete(citizen_id)
    citizen = db.session.get_one(Citizen, citizen_id)
    assert citizen.status == "deleted"
    assert citizen.nickname == "已注销"
    kept = (citizen.demographic_group, citizen.region_code, citizen.organisation_id, citizen.age_band, citizen.guardian_confirmed_at)
    assert kept == (None,) * 5
    for table in (Identity, Guardian, SmsCode):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0, table
    assert all(db.session.scalars(sa.select(Consent.withdrawn_at)))
    assert all(db.session.scalars(sa.select(UserSession.ended_at)))
    entry = db.session.scalars(sa.select(AuditEntry).filter_by(action="citizen.deleted")).one()
    assert (entry.actor_name, entry.target_id) == ("", str(citizen_id))
    with pytest.raises(NotFound):
        delete(citizen_id)


def test_a_deleted_number_waits_thirty_days() -> None:
    reference_data()
    now, phone = utc_now(), make_phone()
    first = register(phone, now=now)
    delete(first, now)
    for later in (dt.timedelta(), 29 * DAY):
        with pytest.raises(RecentlyDeleted):
            register(phone, now=now + later)
    second = register(phone, now=now + 31 * DAY)
    assert second != first


def test_open_claims_are_settled_or_given_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[uuid.UUID] = []
    monkeypatch.setattr(citizens, "on_delete_checks", [lambda _: "您还有 1 个奖品没领。", lambda _: None])
    monkeypatch.setattr(citizens, "on_delete_first", [])
    monkeypatch.setattr(citizens, "on_delete", [lambda citizen_id, now: settled.append(citizen_id)])
    citizen = make_citizen()
    with pytest.raises(OpenClaims) as refused:
        delete(citizen.id)
    assert refused.value.extra["reasons"] == ["您还有 1 个奖品没领。"]
    assert queries.get_profile(citizen.id).status == "active"
    assert settled == []
    delete(citizen.id, gives_up=True)
    assert settled == [citizen.id]


def test_deleting_twice_at_once_happens_once(app: Flask) -> None:
    citizen = make_citizen(phone=make_phone())
    results = at_once(app, lambda _: delete(citizen.id), 5)
    assert results.count(None) == 1
    assert sum(isinstance(result, NotFound) for result in results) == 4


def test_who_never_agreed_is_forgotten_after_a_day() -> None:
    reference_data()
    now = utc_now()
    phones = [make_phone(), make_phone()]
    for phone, entered in zip(phones, (now - 2 * DAY, now), strict=True):
        with transaction():
            services.find_or_create_citizen(vault(), phone, entered)
    agreed = make_citizen(now=now - 2 * DAY)
    with transaction():
        assert services.delete_unconsented(now) == 1
    assert queries.find_citizen_by_phone(vault(), phones[0]) is None
    assert queries.find_citizen_by_phone(vault(), phones[1]) is not None
    assert queries.get_profile(agreed.id).status == "active"
    register(phones[0])


def test_export_holds_everything_and_no_whole_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citizens, "export_parts", [("attempts", lambda citizen_id: [str(citizen_id)])])
    phone = make_phone()
    citizen = make_citizen(phone=phone, organisation=make_organisation("赤峰第一中学"))
    data = services.export_citizen(vault(), citizen.id, utc_now())
    assert data["account"]["organisation"] == "赤峰第一中学"
    assert data["account"]["phone"].startswith(phone[:3] + "****")
    assert data["attempts"] == [str(citizen.id)]
    assert [consent["purpose"] for consent in data["consents"]] == ["account"]
    assert phone not in str(data)


def test_lock_citizen_reads_what_others_committed(app: Flask) -> None:
    citizen = make_citizen()
    assert queries.get_profile(citizen.id).age_band == "18_59"
    at_once(app, lambda _: change(citizen.id, age_band="60_plus"), 1)
    with transaction():
        assert queries.lock_citizen(citizen.id).age_band == "60_plus"
    with pytest.raises(NotFound):
        queries.get_profile(uuid.uuid4())


def test_organisations_are_found_by_a_part_of_their_name() -> None:
    make_organisation("赤峰第一中学")
    make_organisation("第一小学")
    make_organisation("100%的公司")
    assert [unit.name for unit in queries.search_organisations("第一")] == ["第一小学", "赤峰第一中学"]
    assert queries.search_organisations(" ") == []
    assert [unit.name for unit in queries.search_organisations("%")] == ["100%的公司"]
    root = queries.find_root_organisation()
    assert root is not None
    assert len(queries.organisation_subtree_ids(root.path)) == len(queries.organisation_subtree_ids("/")) == 4


def test_reference_data_is_whole_and_may_load_twice() -> None:
    reference_data()
    names = queries.region_names()
    counties = [region for region in queries.list_counties() if region.parent_code == "150400"]
    assert len(counties) == 12
    assert names["150423"] == "巴林右旗"
    assert queries.list_counties()[-1].code == "other"
    assert len(queries.list_regions("150423")) > 5
    assert all(region.county_code == "150423" for region in queries.list_regions("150423"))
    assert [group.code for group in queries.list_groups()] == ["civil_servant", "enterprise", "youth", "farmer_herder", "resident"]
    reference_data()
    assert queries.region_names() == names
