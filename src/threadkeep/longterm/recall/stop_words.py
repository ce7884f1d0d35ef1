"""Words that say nothing in a question, by language; a question is in the language of most of them.

English ones are left out of every question. Others are left out only where the question has more
of them than of English ones: "die" and "was" are words of two languages.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from threadkeep.longterm.recall import english, kana

_WORDS: Final = {
    "de": """der die das den dem des ein eine einen einem einer eines und oder aber ich du er sie es
        wir ihr mich mir dich dir uns euch ihn ihm mein meine meinen meiner dein deine sein seine
        unser unsere ihre ist sind war waren bin bist seid hat haben habe hatte hast muss kann wird
        wie wo was wer wann warum welche welcher welches welchen in im an am auf bei mit von vom zu
        zum zur fur fuer uber ueber nicht man denn als auch noch""",
    "fr": """le la les un une des du de d l et ou je tu il elle on nous vous ils elles me m te se s
        mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs est sont etait suis es ai
        as a avons avez ont ce cet cette ces que qu qui quoi ou quand comment combien pourquoi quel
        quelle quels quelles dans en au aux a sur par pour avec chez ne pas c j n t""",
    "es": """el la los las un una unos unas de del al y o u yo tu el ella nosotros ellos me te se
        nos lo le les mi mis tu tus su sus nuestro nuestra nuestros nuestras es son era soy eres
        esta estan he has ha hemos han que quien quienes donde cuando como cuanto cuanta cual
        cuales por para con en a no""",
    "pt": """o a os as um uma uns umas de do da dos das no na nos nas e ou eu tu voce ele ela nos
        eles elas me te se meu minha meus minhas teu tua seu sua nosso nossa e sao era sou esta
        estao tenho tem temos que quem onde quando como quanto quanta qual quais por para com em
        ao""",
    "it": """il lo la i gli le un uno una di del della dei delle e o io tu lui lei noi voi loro mi
        ti si ci vi mio mia miei mie tuo tua suo sua nostro nostra sono sei era ho hai ha abbiamo
        hanno che chi dove quando come quanto quale quali perche in nel nella a al alla da per con
        su non""",
    "nl": """de het een en of ik jij je hij zij ze wij we jullie mij me jou hem haar ons mijn jouw
        zijn onze is ben bent was waren heb hebt heeft hebben wat wie waar wanneer hoe waarom welke
        welk in op aan bij met van voor te niet er""",
    "ru": """и в во на с со у к ко о об от до из за по не что кто где когда как какой какая какие
        каком какую сколько почему чего я ты он она мы вы они мне меня мои мой моя моего моей тебя
        его ее их нас нам наш наша нашу был была были есть это""",
    "ar": """ما ماذا من متى اين كيف كم هل هو هي في على عند عندي
        الى عن مع التي الذي هذا هذه لماذا""",
    "hi": """का के की को से में ने पर है हैं था थी थे थीं हूं हो हुआ हुई हुए होता होती होते होना होगा होगी होंगे होंगी
        रहा रही रहे गया गई गए क्या कौन कहां कब क्यों कैसे कैसा कैसी कितने कितना कितनी किससे किस किसे किसका किसकी
        किसने कौनसा कौनसी सी सा मैं मैंने मुझे मेरा मेरी मेरे हम हमने हमें हमारा हमारी हमारे तुम आप आपका आपकी आपके
        वह वे यह ये उस उसका उसकी उसके इस अपना अपनी अपने और या भी तो ही""",
}  # fmt: skip
_STOP: Final = {language: frozenset(words.split()) for language, words in _WORDS.items()} | {
    "ja": kana.STOP
}


def stop_words(tokens: Sequence[str]) -> Collection[str]:
    """What of a question's words, as the tokenizer gives them, says nothing."""
    count_by_language = {
        language: sum(map(language_words.__contains__, tokens))
        for language, language_words in _STOP.items()
    }
    language = max(count_by_language, key=lambda name: count_by_language[name])
    if count_by_language[language] <= sum(map(english.STOP.__contains__, tokens)):
        return english.STOP
    return english.STOP | _STOP[language]
