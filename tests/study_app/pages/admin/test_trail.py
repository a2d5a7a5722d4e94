from researcher import Researcher
from sqlalchemy import delete, select, update
from study_world import World

from study_app import audit
from study_app.models import Audit


def test_the_log_is_shown_with_its_last_hash_and_a_run_has_its_own_rows(
    ada: Researcher, world: World, answered: str
) -> None:
    ada.get(f"/admin/runs/{answered}/end")
    ada.post(f"/admin/runs/{answered}/close", sure="yes")
    text = ada.get("/admin/audit").text
    with world.database.reading() as db:
        last = db.scalars(select(Audit.sha256).order_by(Audit.id.desc())).first()
    assert last in text
    assert "3 rows in all, and every link holds." in text
    mine = ada.get(f"/admin/audit?run={answered}").text
    assert ("log in" in text, "log in" in mine) == (True, False)
    assert "<td>close</td>" in mine
    assert ada.get("/admin/audit?run=nothing").status_code == 404


def test_a_log_that_was_tampered_with_says_where(ada: Researcher, world: World) -> None:
    with world.database.writing() as db:
        db.execute(update(Audit).where(Audit.id == 1).values(actor="nobody"))
    assert "broken at row 1: it is not what was written then" in ada.get("/admin/audit").text
    with world.database.writing() as db:
        db.execute(delete(Audit).where(Audit.id == 1))
    assert "broken at row 2: a row before it was removed" in ada.get("/admin/audit").text


def test_a_long_log_goes_over_pages(ada: Researcher, world: World) -> None:
    with world.database.writing() as db:
        for number in range(150):
            audit.append(db, actor="a", action="b", target=f"t{number:03d}", detail={}, now=world.clock())
    first, second = ada.get("/admin/audit").text, ada.get("/admin/audit?page=2").text
    assert ("t149" in first, "t050" in first, "t049" in first) == (True, True, False)
    assert ("t049" in second, "t000" in second) == (True, True)
    assert ("Older" in first, "Newer" in first, "Older" in second, "Newer" in second) == (True, False, False, True)
