"""A second ten statements and questions in eleven languages, written before reading the tokenizer.

The question is what somebody would ask, not the statement turned round: it inflects the words, and
shares only some of them.
"""

from __future__ import annotations

from typing import Final

EVERYDAY: Final = {
    "en": [
        ("I moved to Hamburg last year because of a new job.", "What made me move to Hamburg?"),
        (
            "Grandma turns ninety in August and we're planning a big party.",
            "Which month is my grandma's ninetieth birthday?",
        ),
        (
            "The brakes of my car are worn out, the garage wants 600 euros.",
            "How much will it cost to get the brake repaired?",
        ),
        ("I finished the Berlin marathon in under four hours.", "How fast did I run the marathon?"),
        ("My wife is a nurse and often works nights.", "What does my wife do for a living?"),
        ("I haven't eaten meat for two years.", "How long ago did I stop eating meat?"),
        (
            "Our landlord is raising the rent by ten percent from October.",
            "When does the rent go up?",
        ),
        (
            "We're flying to Lisbon with the children on the 12th of June.",
            "What date is our flight to Lisbon?",
        ),
        (
            "On Tuesday evenings I take Italian lessons with a teacher from Naples.",
            "Where is my Italian teacher from?",
        ),
        ("My son broke his arm when he went climbing.", "How did my son's arm get broken?"),
    ],
    "de": [
        (
            "Ich bin letztes Jahr wegen einer neuen Stelle nach Hamburg gezogen.",
            "Aus welchem Grund wohne ich jetzt in Hamburg?",
        ),
        (
            "Unsere Oma wird im August neunzig, wir planen ein großes Fest.",
            "Wann feiert Oma ihren neunzigsten Geburtstag?",
        ),
        (
            "An meinem Auto sind die Bremsen kaputt, die Reparatur kostet 600 Euro.",
            "Wie viel muss ich für das Reparieren der Bremse bezahlen?",
        ),
        (
            "Beim Marathon in Berlin bin ich unter vier Stunden geblieben.",
            "Wie schnell war ich beim Berliner Marathon?",
        ),
        (
            "Meine Frau ist Krankenschwester und hat oft Nachtdienst.",
            "Welchen Beruf hat meine Frau?",
        ),
        (
            "Seit zwei Jahren esse ich kein Fleisch mehr.",
            "Wie lange habe ich schon kein Fleisch gegessen?",
        ),
        (
            "Der Vermieter erhöht ab Oktober die Miete um zehn Prozent.",
            "Ab wann gilt die Mieterhöhung?",
        ),
        (
            "Wir fliegen am 12. Juni mit den Kindern nach Lissabon.",
            "An welchem Tag geht unser Flug nach Lissabon?",
        ),
        (
            "Dienstagabends lerne ich Italienisch bei einer Lehrerin aus Neapel.",
            "Woher kommt meine Italienischlehrerin?",
        ),
        (
            "Mein Sohn hat sich beim Klettern den Arm gebrochen.",
            "Wie kam es zu dem Armbruch meines Sohnes?",
        ),
    ],
    "fr": [
        (
            "J'ai déménagé à Lyon l'an dernier pour un nouveau poste.",
            "Pourquoi est-ce que je vis à Lyon maintenant ?",
        ),
        (
            "Notre grand-mère aura quatre-vingt-dix ans en août.",
            "En quel mois tombe l'anniversaire de notre grand-mère ?",
        ),
        (
            "Les freins de ma voiture sont usés, le garagiste demande 600 euros.",
            "Combien coûte la réparation du frein ?",
        ),
        (
            "J'ai couru le marathon de Paris en moins de quatre heures.",
            "Quel temps ai-je fait en courant à Paris ?",
        ),
        ("Ma femme est infirmière et travaille souvent de nuit.", "Quel métier exerce ma femme ?"),
        (
            "Je ne mange plus de viande depuis deux ans.",
            "Depuis combien de temps ai-je arrêté la viande ?",
        ),
        (
            "Le propriétaire augmente le loyer de dix pour cent à partir d'octobre.",
            "De combien sera l'augmentation de mon loyer ?",
        ),
        (
            "Nous partons en vacances à Lisbonne avec les enfants le 12 juin.",
            "Où emmenons-nous les enfants cet été ?",
        ),
        (
            "J'apprends l'italien le mardi soir avec une professeure napolitaine.",
            "Quel jour ont lieu mes cours d'italien ?",
        ),
        (
            "Mon fils s'est cassé le bras en escaladant un mur.",
            "Comment mon fils s'est-il fait mal au bras ?",
        ),
    ],
    "es": [
        (
            "El año pasado me mudé a Valencia por un trabajo nuevo.",
            "¿Por qué vivo ahora en Valencia?",
        ),
        (
            "Nuestra abuela cumple noventa años en agosto.",
            "¿Cuántos años va a cumplir la abuela?",
        ),
        (
            "Se me han gastado los frenos del coche y el arreglo cuesta 600 euros.",
            "¿Cuánto me cobran por arreglar el coche?",
        ),
        (
            "Corrí el maratón de Madrid en menos de cuatro horas.",
            "¿Cuánto tardé en correr el maratón?",
        ),
        ("Mi mujer es enfermera y suele trabajar de noche.", "¿A qué se dedica mi mujer?"),
        ("Hace dos años que no como carne.", "¿Desde cuándo dejé de comer carne?"),
        (
            "El casero nos sube el alquiler un diez por ciento a partir de octubre.",
            "¿En qué mes subirá el alquiler?",
        ),
        ("El 12 de junio volamos a Lisboa con los niños.", "¿Qué día es nuestro vuelo a Lisboa?"),
        (
            "Los martes por la tarde estudio italiano con una profesora de Nápoles.",
            "¿Cuándo son mis clases de italiano?",
        ),
        ("Mi hijo se rompió el brazo escalando.", "¿Cómo se hizo mi hijo lo del brazo roto?"),
    ],
    "zh": [
        ("去年我因为换了新工作搬到了杭州。", "我为什么会住在杭州？"),
        ("外婆八月份就满九十岁了，我们打算办一场寿宴。", "外婆今年多大年纪？"),
        ("我的车刹车坏了，修一次要六百块。", "修车要花多少钱？"),
        ("我跑完了北京马拉松，用了不到四个小时。", "马拉松我跑了多长时间？"),
        ("我太太是护士，经常上夜班。", "太太的职业是什么？"),
        ("我已经两年没有吃肉了。", "我多久没吃肉了？"),
        ("房东说从十月起房租涨百分之十。", "房租要涨多少？"),
        ("六月十二号我们带孩子飞去里斯本度假。", "我们打算去哪里度假？"),
        ("每个星期二晚上我跟一位老师学意大利语。", "意大利语课在星期几上？"),
        ("儿子爬山的时候摔断了胳膊。", "儿子的胳膊是怎么受伤的？"),
    ],
    "ja": [
        ("去年、転職をきっかけに福岡へ引っ越しました。", "どうして福岡に住んでいるの？"),
        ("祖母は八月に九十歳になるので、家族でお祝いをします。", "祖母のお祝いはいつですか？"),
        ("車のブレーキが壊れて、修理に六万円かかります。", "車を直すのにいくら払いますか？"),
        ("東京マラソンを四時間以内で走りました。", "マラソンのタイムはどれくらいでしたか？"),
        ("妻は看護師で、夜勤が多いです。", "妻の職業は何でしたっけ？"),
        ("二年前から肉を食べていません。", "いつから肉を食べなくなりましたか？"),
        ("大家さんが十月から家賃を一割上げるそうです。", "家賃はいくら上がりますか？"),
        ("六月十二日に子どもたちとリスボンへ旅行します。", "リスボン旅行はいつ出発ですか？"),
        ("火曜の夜にイタリア語を習っています。", "イタリア語のレッスンは何曜日ですか？"),
        ("息子が木登りで腕を骨折しました。", "息子はなぜ腕を折ったのですか？"),
    ],
    "th": [
        ("ปีที่แล้วฉันย้ายมาเชียงใหม่เพราะได้งานใหม่", "ทำไมฉันถึงมาอยู่เชียงใหม่"),
        ("คุณยายจะอายุครบเก้าสิบปีในเดือนสิงหาคม", "คุณยายอายุเท่าไหร่แล้ว"),
        ("เบรกรถของฉันเสีย ค่าซ่อมหกพันบาท", "ต้องจ่ายเงินค่าซ่อมรถเท่าไหร่"),
        ("ฉันวิ่งมาราธอนที่กรุงเทพจบภายในสี่ชั่วโมง", "ฉันใช้เวลาวิ่งมาราธอนนานแค่ไหน"),
        ("ภรรยาผมเป็นพยาบาลและเข้าเวรกลางคืนบ่อย", "ภรรยาทำงานอะไร"),
        ("ฉันไม่ได้กินเนื้อสัตว์มาสองปีแล้ว", "ฉันเลิกกินเนื้อตั้งแต่เมื่อไหร่"),
        ("เจ้าของบ้านจะขึ้นค่าเช่าสิบเปอร์เซ็นต์ตั้งแต่เดือนตุลาคม", "ค่าเช่าบ้านจะเพิ่มขึ้นเท่าไร"),
        ("วันที่สิบสองมิถุนายนเราจะพาลูก ๆ บินไปเที่ยวลิสบอน", "เราจะไปเที่ยวที่ไหนกันเดือนมิถุนายน"),
        ("ทุกเย็นวันอังคารฉันเรียนภาษาอิตาลีกับครูคนหนึ่ง", "ฉันมีเรียนภาษาอิตาลีวันไหน"),
        ("ลูกชายแขนหักตอนปีนต้นไม้", "แขนของลูกชายเป็นอะไร"),
    ],
    "ar": [
        ("انتقلت إلى الرباط العام الماضي بسبب وظيفة جديدة.", "لماذا أسكن الآن في الرباط؟"),
        ("جدتي ستبلغ التسعين في شهر أغسطس.", "كم سيكون عمر جدتي؟"),
        ("فرامل سيارتي معطلة وإصلاحها يكلف ٦٠٠ دولار.", "كم ثمن تصليح الفرامل؟"),
        ("أنهيت ماراثون القاهرة في أقل من أربع ساعات.", "كم استغرق مني الماراثون؟"),
        ("زوجتي ممرضة وتعمل ليلا في أغلب الأحيان.", "ما مهنة زوجتي؟"),
        ("لم آكل اللحم منذ سنتين.", "منذ متى توقفت عن أكل اللحوم؟"),
        ("صاحب البيت سيرفع الإيجار عشرة بالمئة ابتداء من أكتوبر.", "بكم سيرتفع إيجار البيت؟"),
        ("سنسافر مع الأطفال إلى لشبونة في الثاني عشر من يونيو.", "متى موعد سفرنا إلى لشبونة؟"),
        (
            "أتعلم الإيطالية مساء كل ثلاثاء مع معلمة من نابولي.",
            "في أي يوم عندي درس اللغة الإيطالية؟",
        ),
        ("ابني كسر ذراعه وهو يتسلق شجرة.", "كيف انكسرت ذراع ابني؟"),
    ],
    "hi": [
        ("पिछले साल नई नौकरी की वजह से मैं पुणे चला आया।", "मैं पुणे में क्यों रहता हूँ?"),
        ("दादी अगस्त में नब्बे साल की हो जाएँगी।", "दादी कितने साल की होंगी?"),
        (
            "मेरी गाड़ी के ब्रेक खराब हैं, मरम्मत में छह हज़ार रुपये लगेंगे।",
            "गाड़ी ठीक कराने में कितना खर्च आएगा?",
        ),
        ("मैंने मुंबई मैराथन चार घंटे से कम में पूरी की।", "मैराथन दौड़ने में मुझे कितना समय लगा?"),
        ("मेरी पत्नी नर्स है और अक्सर रात की पाली करती है।", "पत्नी का पेशा क्या है?"),
        ("मैंने दो साल से मांस नहीं खाया है।", "मैं कब से माँस नहीं खाता?"),
        ("मकान मालिक अक्टूबर से किराया दस प्रतिशत बढ़ा रहा है।", "किराए में कितनी बढ़ोतरी होगी?"),
        ("बारह जून को हम बच्चों के साथ लिस्बन घूमने जा रहे हैं।", "जून में बच्चे कहाँ जाएँगे?"),
        ("हर मंगलवार की शाम मैं इतालवी सीखता हूँ।", "इतालवी की कक्षा किस दिन होती है?"),
        ("पेड़ पर चढ़ते समय मेरे बेटे का हाथ टूट गया।", "बेटे के हाथ को क्या हुआ?"),
    ],
    "ru": [
        ("В прошлом году я переехал в Казань из-за новой работы.", "Почему я живу в Казани?"),
        ("Бабушке в августе исполнится девяносто лет.", "Когда день рождения у бабушки?"),
        (
            "У моей машины сломались тормоза, ремонт обойдётся в 600 рублей.",
            "Сколько я заплачу за починку тормозов?",
        ),
        (
            "Я пробежал московский марафон меньше чем за четыре часа.",
            "За какое время я бегал марафон в Москве?",
        ),
        ("Моя жена работает медсестрой, часто в ночную смену.", "Кем работает жена?"),
        ("Я уже два года не ем мяса.", "Давно ли я отказался от мяса?"),
        (
            "Хозяин квартиры с октября поднимает плату на десять процентов.",
            "На сколько поднимут плату за квартиру?",
        ),
        ("Двенадцатого июня мы с детьми летим в Лиссабон.", "Какого числа наш рейс до Лиссабона?"),
        (
            "По вторникам вечером я учу итальянский с преподавательницей.",
            "В какой день у меня урок итальянского?",
        ),
        ("Мой сын сломал руку, когда лазил по скалам.", "Что у сына с рукой?"),
    ],
    "ko": [
        ("작년에 새 직장 때문에 부산으로 이사했어요.", "내가 왜 부산에서 살게 됐지?"),
        ("할머니가 8월에 아흔 살이 되셔서 잔치를 준비하고 있어요.", "할머니 연세가 어떻게 되시지?"),
        (
            "자동차 브레이크가 고장 나서 수리비가 육십만 원 들어요.",
            "자동차를 고치려면 얼마나 드나요?",
        ),
        ("서울 마라톤을 네 시간 안에 완주했어요.", "마라톤 기록이 얼마였어?"),
        ("아내는 간호사이고 야간 근무가 많아요.", "아내의 직업이 뭐였지?"),
        ("2년 전부터 고기를 안 먹어요.", "고기는 언제부터 끊었어?"),
        ("집주인이 10월부터 월세를 십 퍼센트 올린대요.", "월세가 얼마나 오르지?"),
        ("6월 12일에 아이들과 리스본으로 여행을 가요.", "리스본 여행은 며칠에 떠나?"),
        ("화요일 저녁마다 이탈리아어를 배워요.", "이탈리아어 수업은 무슨 요일이야?"),
        ("아들이 나무에 오르다가 팔이 부러졌어요.", "아들은 어쩌다 팔을 다쳤어?"),
    ],
}
