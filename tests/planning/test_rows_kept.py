"""The rows of the last problem are kept: what somebody adds to them is not."""

from dataclasses import replace

from controller.planning.build import write
from tests.rules.build import Fleet, stage


def test_rows_that_are_added_to_a_form_are_in_no_other() -> None:
    fleet = (
        Fleet().site("paris", "FR").pool("near", "paris").service("s", stage("only", "a")).demand("s", "paris", 1000)
    )
    problem = fleet.option("a@near", "a", "near", capacity_milli_rps=1000).path("a near", "s@paris", "a@near").problem
    form = write(problem)
    alike = list(form.rows)
    form.rows.append(alike[0])
    assert write(problem).rows == alike
    other = replace(problem, nodes=())
    assert write(other).rows != alike
    assert write(problem).rows == alike
