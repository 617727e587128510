"""The codes of the sample repository: what they are called, and the sets they make."""

from collections.abc import Iterable, Mapping

TYPES: Mapping[str, str] = {
    "article": "Article",
    "book": "Book",
    "book_section": "Book Section",
    "thesis": "Thesis",
    "conference_item": "Conference or Workshop Item",
    "monograph": "Monograph",
    "dataset": "Dataset",
    "software": "Software",
    "image": "Image",
    "audio": "Audio",
    "video": "Video",
    "patent": "Patent",
    "preprint": "Preprint",
    "review": "Review",
    "internet": "Internet publication",
    "composition": "Composition",
    "performance": "Performance",
    "exhibition": "Show/Exhibition",
    "teaching_resource": "Teaching Resource",
    "other": "Other",
}

STATUSES: Mapping[str, str] = {
    "pub": "Published",
    "inpress": "In Press",
    "submitted": "Submitted",
    "unpub": "Unpublished",
}

# Library of Congress Classification; a code's parent is the longest other code that begins it.
SUBJECTS: Mapping[str, str] = {
    "B": "Philosophy. Psychology. Religion",
    "BF": "Psychology",
    "BJ": "Ethics",
    "BL": "Religion",
    "C": "Auxiliary Sciences of History",
    "CC": "Archaeology",
    "CN": "Inscriptions. Epigraphy",
    "D": "History General and Old World",
    "DA": "Great Britain",
    "DS": "Asia",
    "DT": "Africa",
    "G": "Geography. Anthropology. Recreation",
    "GC": "Oceanography",
    "GE": "Environmental Sciences",
    "GN": "Anthropology",
    "GR": "Folklore",
    "GV": "Recreation Leisure",
    "H": "Social Sciences",
    "HA": "Statistics",
    "HB": "Economic Theory",
    "HC": "Economic History and Conditions",
    "HD": "Industries. Land use. Labor",
    "HE": "Transportation and Communications",
    "HM": "Sociology",
    "HV": "Social pathology. Social and public welfare",
    "J": "Political Science",
    "JN": "Political institutions (Europe)",
    "JV": "Colonies and colonization. Emigration and immigration",
    "K": "Law",
    "KD": "England and Wales",
    "KZ": "Law of Nations",
    "L": "Education",
    "LB": "Theory and practice of education",
    "LC": "Special aspects of education",
    "M": "Music and Books on Music",
    "ML": "Literature of music",
    "MT": "Musical instruction and study",
    "N": "Fine Arts",
    "NA": "Architecture",
    "ND": "Painting",
    "P": "Language and Literature",
    "PA": "Classical philology",
    "PB": "Celtic languages",
    "PG": "Slavic, Baltic, Albanian languages and literature",
    "PJ": "Semitic",
    "PK": "Indo-Iranian",
    "PL": "Languages and literatures of Eastern Asia, Africa, Oceania",
    "PQ": "Romance literatures",
    "PR": "English literature",
    "Q": "Science",
    "QA": "Mathematics",
    "QA75": "Electronic computers. Computer science",
    "QB": "Astronomy",
    "QC": "Physics",
    "QD": "Chemistry",
    "QE": "Geology",
    "QH": "Natural history",
    "QK": "Botany",
    "QL": "Zoology",
    "QR": "Microbiology",
    "R": "Medicine",
    "RA": "Public aspects of medicine",
    "RC": "Internal medicine",
    "RT": "Nursing",
    "S": "Agriculture",
    "SB": "Plant culture",
    "SH": "Aquaculture. Fisheries. Angling",
    "T": "Technology",
    "TA": "Engineering (General). Civil engineering (General)",
    "TD": "Environmental technology. Sanitary engineering",
    "TH": "Building construction",
    "TK": "Electrical engineering. Electronics",
    "TR": "Photography",
    "Z": "Bibliography. Library Science. Information Resources",
    "Z665": "Library Science. Information Science",
}

# Each with the division above it.
DIVISIONS: Mapping[str, tuple[str, str]] = {
    "schools": ("Schools", ""),
    "sch_soc": ("School of Social Sciences", "schools"),
    "chss": ("Centre for Health Services Studies", "sch_soc"),
    "sch_hum": ("School of Humanities", "schools"),
    "sch_lang": ("School of Languages", "schools"),
    "sch_law": ("School of Law", "schools"),
    "sch_art": ("School of Arts and Music", "schools"),
    "sch_nat": ("School of Natural Sciences", "schools"),
    "marine": ("Marine Field Station", "sch_nat"),
    "sch_math": ("School of Mathematics", "schools"),
    "sch_eng": ("School of Engineering and Computing", "schools"),
    "services": ("Professional Services", ""),
    "library": ("Library and Archives", "services"),
}


def subject_path(code: str) -> tuple[str, ...]:
    above = [known for known in SUBJECTS if code.startswith(known) and known != code]
    return (*sorted(above, key=len), code)


def subject_label(code: str) -> str:
    return f"{code} {SUBJECTS[code]}" if code in SUBJECTS else code


def division_path(code: str) -> tuple[str, ...]:
    above = DIVISIONS.get(code, ("", ""))[1]
    return (*division_path(above), code) if above else (code,)


def division_name(code: str) -> str:
    return DIVISIONS[code][0] if code in DIVISIONS else code


def division_label(code: str) -> str:
    return " > ".join(division_name(step) for step in division_path(code))


def set_spec(field: str, path: Iterable[str]) -> str:
    """EPrints hides every value from the protocol's narrow alphabet by writing it in hex."""
    return _hex(f"{field}=") + ":".join(_hex(step) for step in path)


def _hex(text: str) -> str:
    return text.encode().hex().upper()


def all_sets() -> dict[str, str]:
    """Every setSpec with its name, a parent before its children."""
    sets = {set_spec("status", [code]): f"Status = {name}" for code, name in STATUSES.items()}
    for code in SUBJECTS:
        path = subject_path(code)
        sets[set_spec("subjects", path)] = "Subject = " + ": ".join(map(subject_label, path))
    sets |= {set_spec("types", [code]): f"Type = {name}" for code, name in TYPES.items()}
    for code in DIVISIONS:
        path = division_path(code)
        sets[set_spec("divisions", path)] = "Division = " + ": ".join(map(division_name, path))
    return sets
