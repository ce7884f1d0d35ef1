"""Ordinary sentences and what any model makes of them; and pairs that only look the same."""

from __future__ import annotations

import json

import pytest

from tests.longterm.extraction.spoken_table import knowing, learned, proposal
from threadkeep import connect

PARAPHRASES = {
    "en": [
        ("I turn thirty-four in May.", "The user turns 34 in May"),
        ("We've got twelve hens.", "The user has 12 hens"),
        ("My alarm goes off at half past five, then I go for a run.", "The user goes for a run in the morning"),
        ("The rent's about 1.5k a month.", "The user's rent is about 1500 a month"),
        ("I was born in '88.", "The user was born in 1988"),
        ("I can't have dairy.", "The user cannot eat dairy"),
        ("My mom's from Peru.", "The user's mother is from Peru"),
        ("I gave up smoking.", "The user stopped smoking"),
        ("I'm a nurse, mostly nights.", "The user works night shifts as a nurse"),
        ("I finished my PhD in physics.", "The user completed a doctorate in physics"),
        ("My other half is called Jo.", "The user's partner is called Jo"),
        ("I'm scared of spiders.", "The user is afraid of spiders"),
    ],
    "de": [
        ("Ich werde im Mai vierunddreißig.", "Der Nutzer wird im Mai 34"),
        ("Wir haben zwölf Hühner.", "Der Nutzer hat 12 Hühner"),
        ("Die Miete beträgt 1.500 Euro.", "Die Miete des Nutzers beträgt 1500 Euro"),
        ("Ich bin Jahrgang '88.", "Der Nutzer wurde 1988 geboren"),
        ("Milch vertrage ich nicht.", "Der Nutzer verträgt keine Milch"),
        ("Meine Mama kommt aus Peru.", "Die Mutter des Nutzers kommt aus Peru"),
        ("Ich habe mit dem Rauchen aufgehört.", "Der Nutzer hat aufgehört zu rauchen"),
        ("Ich arbeite meistens nachts im Krankenhaus.", "Der Nutzer arbeitet nachts in einem Krankenhaus"),
        ("Ich bin letztes Jahr nach Bern gezogen.", "Der Nutzer ist nach Bern umgezogen"),
        ("Ich habe Angst vor Spinnen.", "Der Nutzer fürchtet sich vor Spinnen"),
        ("Unser Hund heißt Bello.", "Der Hund des Nutzers heißt Bello"),
        ("Meine Frau ist Lehrerin.", "Die Ehefrau des Nutzers ist Lehrerin"),
    ],
    "fr": [
        ("J'ai trente-quatre ans.", "L'utilisateur a 34 ans"),
        ("Nous avons douze poules.", "L'utilisateur a 12 poules"),
        ("Le loyer est de 1 500 euros, c'est cher.", "L'utilisateur trouve le loyer cher"),
        ("Je suis née en 1988.", "L'utilisatrice est née en 1988"),
        ("Je ne supporte pas le lait.", "L'utilisateur ne supporte pas le lait"),
        ("Ma maman vient du Pérou.", "La mère de l'utilisateur vient du Pérou"),
        ("J'ai arrêté de fumer.", "L'utilisateur a cessé de fumer"),
        ("Je bosse la nuit à l'hôpital.", "L'utilisateur travaille la nuit à l'hôpital"),
        ("J'ai déménagé à Berne l'an dernier.", "L'utilisateur a déménagé à Berne"),
        ("J'ai peur des araignées.", "L'utilisateur craint les araignées"),
        ("Notre chien s'appelle Rex.", "Le chien de l'utilisateur s'appelle Rex"),
        ("Je fais du vélo tous les matins.", "L'utilisateur fait du vélo chaque matin"),
    ],
    "es": [
        ("Tengo treinta y cuatro años.", "El usuario tiene 34 años"),
        ("Tenemos doce gallinas.", "El usuario tiene 12 gallinas"),
        ("El alquiler es de 1.500 euros.", "El alquiler del usuario es de 1500 euros"),
        ("Nací en el 88.", "El usuario nació en 1988"),
        ("No tolero la leche.", "El usuario no tolera la leche"),
        ("Mi mamá es de Perú.", "La madre del usuario es de Perú"),
        ("He dejado de fumar.", "El usuario dejó de fumar"),
        ("Curro de noche en el hospital.", "El usuario trabaja de noche en un hospital"),
        ("Me mudé a Berna el año pasado.", "El usuario se mudó a Berna"),
        ("Me dan miedo las arañas.", "El usuario tiene miedo a las arañas"),
        ("Nuestro perro se llama Rex.", "El perro del usuario se llama Rex"),
        ("Voy en bici todas las mañanas.", "El usuario va en bicicleta por las mañanas"),
    ],
    "zh": [
        ("我今年三十四岁。", "用户34岁"),
        ("我家养了十二只鸡。", "用户养了12只鸡"),
        ("房租一千五百块。", "用户的房租是1500块"),
        ("我是1988年生的。", "用户出生于1988年"),
        ("我喝不了牛奶。", "用户不能喝牛奶"),
        ("我妈是上海人。", "用户的母亲是上海人"),
        ("我戒烟了。", "用户戒烟了"),
        ("我在医院上夜班。", "用户在医院值夜班"),
        ("我去年搬到了成都。", "用户搬家到成都"),
        ("我怕蜘蛛。", "用户害怕蜘蛛"),
        ("我的狗叫小白。", "用户的狗名叫小白"),
        ("我老婆是老师。", "用户的妻子是老师"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("quoted", [False, True], ids=["found", "cited"])
def test_nine_in_ten_ordinary_paraphrases_are_learned(quoted):
    missed = [
        (said, meant)
        for pairs in PARAPHRASES.values()
        for said, meant in pairs
        if learned([said], knowing([meant], quote=said if quoted else ""))[0] != [meant]
    ]
    total = sum(map(len, PARAPHRASES.values()))
    assert total == 60
    assert len(missed) <= total // 10, missed


OPPOSITES = {
    "is, was": ("I am a smoker.", "Ada is a smoker", "I was a smoker, no more.", "Ada was a smoker"),
    "has, had": ("I have a horse.", "Ada has a horse", "I had a horse until May.", "Ada had a horse"),
    "on, off": ("I am on insulin.", "Ada is on insulin", "I'm off insulin.", "Ada is off insulin"),
    "under, over": ("My rent is under 700.", "Ada's rent is under 700",
                    "My rent is over 700.", "Ada's rent is over 700"),
    "from, to": ("My train goes from Rome to Oslo.", "Ada's train goes from Rome to Oslo",
                 "My train goes from Oslo to Rome.", "Ada's train goes from Oslo to Rome"),
    "who owes whom": ("Ben owes me 50.", "Ben owes Ada 50", "I owe Ben 50.", "Ada owes Ben 50"),
    "whose boss": ("Tom is my boss.", "Tom is Ada's boss", "I'm Tom's boss now.", "Ada is Tom's boss"),
    "in, out": ("I am in the choir.", "Ada is in the choir", "I am out of the choir.", "Ada is out of the choir"),
    "before, after": ("I swim before work.", "Ada swims before work", "I swim after work.", "Ada swims after work"),
    "with, without": ("I take coffee with sugar.", "Ada takes coffee with sugar",
                      "I take coffee without sugar.", "Ada takes coffee without sugar"),
    "can, used to": ("I can juggle.", "Ada can juggle", "I used to juggle.", "Ada used to juggle"),
    "a number": ("I have 2 rabbits.", "Ada has 2 rabbits", "I have 3 rabbits.", "Ada has 3 rabbits"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPPOSITES)
@pytest.mark.parametrize("relation", ["updates", "contradicts", "same", "new"])
def test_what_only_looks_the_same_is_never_merged(name, relation):
    first, known, then, new = OPPOSITES[name]
    answers = [
        {"facts": [proposal(known, [1], first)]},
        {"facts": [{**proposal(new, [1], then), "relation": relation, "known": 1}]},
    ]
    with connect("memory://", llm=lambda messages: json.dumps(answers.pop(0))) as memory:
        ada = memory.user("ada")
        for said in (first, then):
            ada.session("chat").add(said)
            memory.extract()
        assert new in [fact.text for fact in ada.facts.list()]
        older = next(fact for fact in ada.facts.list(status=None) if fact.text == known)
        replaced = relation in ("updates", "contradicts")
        assert older.status == ("superseded" if replaced else "active")
