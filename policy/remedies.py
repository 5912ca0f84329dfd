"""What to do about each finding of the policy's catalogue, in the words of docs/findings.md."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW0101": "mend the line named, or the one before it",
        "GW0102": "split it, or take away what is no policy",
        "GW0103": "keep one of the two",
        "GW0104": "save it as UTF-8 without one",
        "GW0105": "write the value out; quote a text that begins with & * or !",
        "GW0106": "check where it leads, and its permissions",
        "GW0107": "save it as UTF-8",
        "GW0108": "give the folder of the documents",
        "GW0201": "take the nearest word that the hint names",
        "GW0202": "take the nearest field that the hint names",
        "GW0203": "add it as the hint shows",
        "GW0204": "write it as the hint shows; docs/language.md lists the units",
        "GW0301": "rename or remove one",
        "GW0302": "take the nearest name, or add the document",
        "GW0303": "take one out of `after`",
        "GW0304": "let them add up to 100 %",
        "GW0305": "change one of them",
        "GW0306": "mend the word, or remove the profile",
        "GW0307": "add one, else any path will do",
        "GW0308": "put everything into one",
        "GW0309": "add one; to empty a fleet, stop its controller and unload by hand",
        "GW0310": "name two sites",
        "GW0311": "correct or remove the step",
        "GW0312": "add the profile of a variant",
        "GW0313": "mend the word, or add it to the sites that lie there",
        "GW0330": "allow more time, add a pool nearer to the origin, or allow a nearer site",
        "GW0331": "name a model that is called, or take the bound out",
        "GW0332": "name a site with pools, or take the limit out",
        "GW0333": "raise the ceiling, or add a cheaper pool",
        "GW0340": "renew it, or take it out once nothing goes by it",
        "GW0401": "correct the dates; until then the evidence does not count",
        "GW0402": "give each its own name",
    }
)
