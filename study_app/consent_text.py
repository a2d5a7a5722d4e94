"""The wording that people agree to, and its fingerprint."""

import hashlib
from dataclasses import dataclass

from flask_babel import gettext

from .design import Design
from .enrolment import Agreed


@dataclass(frozen=True)
class ConsentText:
    """Paragraphs in one language."""

    version: str
    locale: str
    paragraphs: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of every word of it, version and language included."""
        return hashlib.sha256("\n\n".join((self.version, self.locale, *self.paragraphs)).encode()).hexdigest()

    @property
    def agreed(self) -> Agreed:
        """As it is recorded with a decision."""
        return Agreed(self.sha256, self.version, self.locale)


def consent_text(design: Design, locale: str) -> ConsentText:
    """The study's own wording in that language, else the wording that comes with the app."""
    own = design.consent.text.get(locale)
    return ConsentText(design.consent.version, locale, tuple(own) if own else _default(design, locale))


def _default(design: Design, locale: str) -> tuple[str, ...]:
    privacy = design.privacy
    paragraphs = [
        gettext(
            "In this study you look at pictures and decide which part of each fits a pattern best. The pictures show "
            "everyday things; the patterns are drawn by a computer. We want to learn how well such patterns explain "
            "what an image-recognition program reacts to."
        ),
        gettext(
            "Taking part is voluntary. You can pause or stop at any time, without giving a reason and without "
            "disadvantage."
        ),
        gettext(
            "We store your answers, how long each took, whether you used mouse, keyboard or touch, the size of your "
            "browser window, the kind of device (computer, tablet or phone) and your language. We do not store your "
            "IP address, and we set one cookie, which keeps your place. Your answers carry a random name. What leads "
            "back to you (a user name or the id of the platform that sent you) is kept apart and is never exported "
            "with them."
        ),
        gettext("The answers, under their random names, may be published so that others can check our results."),
        gettext("You can download what we hold about you at any time, on the page “My data”."),
    ]
    if privacy.withdrawal == "delete":
        paragraphs.append(
            gettext("You can withdraw at any time, also afterwards, on the same page. Your answers are then deleted.")
        )
    else:
        paragraphs.append(
            gettext(
                "You can withdraw at any time, also afterwards, on the same page. Everything that leads back to you "
                "is then deleted; answers you gave until then stay, and nobody can tell any more that they are yours."
            )
        )
    if design.prize.offered:
        paragraphs.append(gettext("Prize: %(prize)s", prize=design.said("prize", locale)))
    if privacy.retention:
        paragraphs.append(gettext("How long data is kept: %(retention)s", retention=design.said("retention", locale)))
    if privacy.ethics:
        paragraphs.append(gettext("Ethics approval: %(ethics)s", ethics=design.said("ethics", locale)))
    responsible = ", ".join(filter(None, (design.said("institution", locale), design.said("contact", locale))))
    if responsible:
        paragraphs.append(gettext("Responsible for this study: %(responsible)s", responsible=responsible))
    return tuple(paragraphs)
