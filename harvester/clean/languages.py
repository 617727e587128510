"""Languages: what providers write → ISO 639-1 where there is one, else 639-3.

A table of our own: the field's libraries are LGPL (pycountry), or carry megabytes for names (langcodes). The
codes are those of ISO 639-2, public at the Library of Congress; bibliographic ones (`ger`) come last.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_CODES = """
aa aar; ab abk; ae ave; af afr; ak aka; am amh; an arg; ar ara; as asm; av ava; ay aym; az aze; ba bak; be
bel; bg bul; bi bis; bm bam; bn ben; bo bod tib; br bre; bs bos; ca cat; ce che; ch cha; co cos; cr cre; cs
ces cze; cu chu; cv chv; cy cym wel; da dan; de deu ger; dv div; dz dzo; ee ewe; el ell gre; en eng; eo epo;
es spa; et est; eu eus baq; fa fas per; ff ful; fi fin; fj fij; fo fao; fr fra fre; fy fry; ga gle; gd gla;
gl glg; gn grn; gu guj; gv glv; ha hau; he heb; hi hin; ho hmo; hr hrv; ht hat; hu hun; hy hye arm; hz her;
ia ina; id ind; ie ile; ig ibo; ii iii; ik ipk; io ido; is isl ice; it ita; iu iku; ja jpn; jv jav; ka kat
geo; kg kon; ki kik; kj kua; kk kaz; kl kal; km khm; kn kan; ko kor; kr kau; ks kas; ku kur; kv kom; kw cor;
ky kir; la lat; lb ltz; lg lug; li lim; ln lin; lo lao; lt lit; lu lub; lv lav; mg mlg; mh mah; mi mri mao;
mk mkd mac; ml mal; mn mon; mr mar; ms msa may; mt mlt; my mya bur; na nau; nb nob; nd nde; ne nep; ng ndo;
nl nld dut; nn nno; no nor; nr nbl; nv nav; ny nya; oc oci; oj oji; om orm; or ori; os oss; pa pan; pi pli;
pl pol; ps pus; pt por; qu que; rm roh; rn run; ro ron rum; ru rus; rw kin; sa san; sc srd; sd snd; se sme;
sg sag; si sin; sk slk slo; sl slv; sm smo; sn sna; so som; sq sqi alb; sr srp; ss ssw; st sot; su sun; sv
swe; sw swa; ta tam; te tel; tg tgk; th tha; ti tir; tk tuk; tl tgl; tn tsn; to ton; tr tur; ts tso; tt tat;
tw twi; ty tah; ug uig; uk ukr; ur urd; uz uzb; ve ven; vi vie; vo vol; wa wln; wo wol; xh xho; yi yid; yo
yor; za zha; zh zho chi; zu zul
"""
_NAMES = """
en english; de german deutsch; fr french français francais; es spanish español castilian; nl dutch
nederlands; it italian italiano; pt portuguese português; ru russian русский; uk ukrainian; pl polish
polski; cs czech; sk slovak; sl slovenian slovene; hr croatian; sr serbian; bg bulgarian; ro romanian; hu
hungarian; el greek; tr turkish türkçe; sv swedish svenska; da danish dansk; no norwegian norsk; fi finnish
suomi; is icelandic; et estonian; lv latvian; lt lithuanian; ga irish; cy welsh cymraeg; gd gaelic; br
breton; ca catalan; eu basque; gl galician; la latin; he hebrew; ar arabic; fa persian farsi; hi hindi; bn
bengali; ta tamil; te telugu; ur urdu; th thai; vi vietnamese; id indonesian; ms malay; ja japanese 日本語; ko
korean 한국어; zh chinese mandarin 中文; af afrikaans; sw swahili; uz uzbek; kk kazakh; az azerbaijani; ka
georgian; hy armenian; mk macedonian; sq albanian; mn mongolian; eo esperanto
"""

_KNOWN = {
    word: entry.split()[0]
    for table in (_CODES, _NAMES)
    for entry in table.split(";")
    for word in entry.split()
}
# Codes for "no language that could be named", and what a form offers besides.
_NONE = {"und", "mul", "mis", "zxx", "oth", "unk", "xxx"}
_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*", re.I)
_BETWEEN = re.compile(r"[\s,;/|]+")


def codes(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([code for value in values for code in _codes(value)]))


def unknown(values: Iterable[str]) -> tuple[str, ...]:
    """What names no language we know: "other", "Yoruba and English"."""
    return tuple([value.strip() for value in values if not _codes(value) and value.strip()])


@lru_cache(maxsize=2048)
def _codes(value: str) -> tuple[str, ...]:
    """`en_US`, `eng`, `English`; several in one value (`en fr`, "Spanish, Castilian") if each is one."""
    value = value.strip().lower()
    if code := _code(value):
        return (code,)
    parts = [_code(part) for part in _BETWEEN.split(value) if part]
    return tuple(dict.fromkeys(parts)) if all(parts) else ()


def _code(word: str) -> str:
    if word in _KNOWN:
        return _KNOWN[word]
    match = _CODE.fullmatch(word)
    if match is None or match[1] in _NONE:
        return ""
    return _KNOWN.get(match[1], match[1] if len(match[1]) == 3 and match[1] == word else "")
