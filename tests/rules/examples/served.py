"""Served: the shares of the two paths and what is refused make 1000, no more and no less."""

from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_sites
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}
PROBLEM = two_sites().problem
TWO_ORIGINS = two_sites().demand("ocr", "lyon").path("local", "ocr@lyon", "rec@cloud").problem
DOMAIN = Domain(counts=(1,), shares=(0, 1, 499, 500, 501, 1000), refused=(0, 1, 500, 1000))

EXAMPLES = (
    Example(
        name="routes that take everything leave nothing over",
        problem=PROBLEM,
        on_limit=plan(STANDING, {"near": 600, "far": 400}),
        over_limit=plan(STANDING, {"near": 600, "far": 401}),
        violation=Violation("served", "ocr@paris", 1001, 1000, at(10), "share"),
        message="ocr@paris adds up to 100.1 % instead of 100 %",
        spared=(),
        domain=DOMAIN,
    ),
    Example(
        name="what is refused counts as well",
        problem=PROBLEM,
        on_limit=plan(STANDING, {"near": 600}, {"ocr@paris": 400}, {"ocr": 1}),
        over_limit=plan(STANDING, {"near": 600}, {"ocr@paris": 399}, {"ocr": 1}),
        violation=Violation("served", "ocr@paris", 999, 1000, at(10), "share"),
        message="ocr@paris adds up to 99.9 % instead of 100 %",
        spared=(),
        domain=DOMAIN,
    ),
    Example(
        name="each demand is accounted for by itself",
        problem=TWO_ORIGINS,
        on_limit=plan(STANDING, {"near": 1000, "local": 1000}),
        over_limit=plan(STANDING, {"near": 1000, "far": 1, "local": 1000}),
        violation=Violation("served", "ocr@paris", 1001, 1000, at(10), "share"),
        message="ocr@paris adds up to 100.1 % instead of 100 %",
        spared=(),
        domain=Domain(counts=(1,), shares=(0, 1000), refused=(0, 1000)),
    ),
)
