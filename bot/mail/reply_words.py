"""The words of about 30 languages by which mail clients mark quotes, forwards and quoted header blocks."""

# ruff: noqa: RUF001 -- words of many languages, in their own letters


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for line in text.split("\n") for word in line.strip().split("|") if word)


VERBS = _words("""
    wrote|writes|written|said|a écrit|à écrit|schrieb|schrieben|hat geschrieben|geschrieben|escribió|escribio
    va escriure|ha scritto|scrive|scriveva|escreveu|schreef|heeft geschreven|skrev|skrifaði|kirjoitti
    kirjoittanut|kirjutas|napisał(a)|napisał|napisała|napisał/a|pisze|napsal(a)|napsal|napsala|píše|napísal(a)
    napísal|napísala|írta|írtad|ezt írta|a scris|scrie|написал(а)|написал|написала|написав|пише|пишет|написа
    napisao|napisala|napisao/la|je napisal|je napisala|piše|rakstīja|rašė|parašė|έγραψε|yazdı|yazmış|đã viết
    viết|menulis|nulis|ditulis|escrigué|idatzi|scríobh|skreiv|כתב|כתבה|כתב/ה|كتب|نوشت|เขียน|เขียนว่า|ने लिखा
    লিখেছেন|写道|寫道|写信|のメール|書きました|のメッセージ|作成|작성|님이 작성
""")
"""What stands at the end, or in the middle, of "On …, X wrote:"."""

ORIGINAL = _words("""
    original message|original appointment|message d'origine|message d’origine|message original|message initial
    ursprüngliche nachricht|originalnachricht|originalmail|original-nachricht|mensaje original
    messaggio originale|mensagem original|oorspronkelijk bericht|origineel bericht|originalmeddelelse
    oprindelig meddelelse|original meddelelse|ursprungligt meddelande|originalmeddelande|opprinnelig melding
    alkuperäinen viesti|oryginalna wiadomość|wiadomość oryginalna|původní zpráva|pôvodná správa|eredeti üzenet
    mesaj original|mesajul original|исходное сообщение|оригинальное сообщение|пересылаемое|αρχικό μήνυμα
    özgün ileti|orijinal mesaj|reply message|replied message|antwort|原始邮件|原始郵件|原邮件|原始信件
    元のメッセージ|원본 메시지|원본 메일|ข้อความต้นฉบับ|pesan asli|thư gốc|izvorna poruka|הודעה מקורית
    الرسالة الأصلية
""")
"""What stands between the dashes above a quoted message."""

FORWARD = _words("""
    forwarded message|forwarded by|begin forwarded message|message transféré|début du message réexpédié
    début du message transféré|weitergeleitete nachricht|anfang der weitergeleiteten nachricht
    weitergeleitet von|mensaje reenviado|inicio del mensaje reenviado|messaggio inoltrato
    inizio messaggio inoltrato|mensagem encaminhada|início da mensagem reencaminhada|doorgestuurd bericht
    begin doorgestuurd bericht|videresendt meddelelse|videresendt besked|vidarebefordrat meddelande
    vidarebefordrat brev|videresendt melding|välitetty viesti|wiadomość przekazana
    początek przekazywanej wiadomości|přeposlaná zpráva|preposlaná správa|továbbított üzenet|mesaj redirecționat
    пересылаемое сообщение|пересланное сообщение|начало пересылаемого сообщения|προωθημένο μήνυμα
    iletilmiş mesaj|yönlendirilmiş ileti|转发邮件|轉寄郵件|转发的邮件|転送メッセージ|전달된 메시지
    pesan diteruskan
""")
"""What stands above a forwarded message."""

FROM_KEYS = _words("""
    from|de|von|da|van|od|från|fra|lähettäjä|от|від|από|kimden|gönderen|feladó|de la|expéditeur|remitente
    mittente|remetente|afzender|absender|发件人|寄件者|寄件人|差出人|送信者|보낸 사람|보낸사람|발신|จาก|dari|từ
    מאת|من|odesílatel|odosielateľ|nadawca|avsender|avsändare|saatja|nuo|šalje
""")
"""Names of the From field."""

OTHER_KEYS = _words("""
    sent|date|to|cc|bcc|subject|reply-to|reply to|envoyé|envoyé le|date d'envoi|à|a|objet|copie à|copie|cc :
    gesendet|datum|an|betreff|kopie|antwort an|enviado|enviado el|enviada em|enviado em|fecha|para|asunto
    assunto|data|inviato|oggetto|risposta|rispondi a|verzonden|aan|onderwerp|wysłano|do|temat|dw|skickat|till
    ämne|kopia|sendt|til|emne|dato|lähetetty|päivämäärä|vastaanottaja|aihe|kopio|отправлено|дата|кому|тема|копия
    odesláno|komu|předmět|odoslané|dátum|predmet|elküldve|címzett|tárgy|trimis|către|subiect|εστάλη|ημερομηνία
    προς|θέμα|tarih|kime|konu|gönderildi|发送时间|发送日期|日期|收件人|抄送|主题|寄件日期|收件者|主旨|送信日時
    日時|宛先|件名|보낸 날짜|날짜|받는 사람|제목|ส่ง|ถึง|เรื่อง|tanggal|kepada|perihal|terkirim|ngày|đến|chủ đề
    נשלח|אל|נושא|تاريخ|إلى|الموضوع|saadetud|kellele|teema|poslano|za|message du|sujet|betrifft|gesendet am
""")
"""Names of the other fields of a quoted header block."""

MOBILE = (
    r"sent (?:from|via|with|by|using)\b|get \[?outlook for\b"
    r"|from my (?:iphone|ipad|ipod|mobile|phone|android|blackberry|samsung)|sent on the go"
    r"|envoyé (?:depuis|de mon|à partir|avec)\b|téléchargez outlook|obtenez outlook|gesendet (?:von|mit|über)\b"
    r"|von meinem [^ ]{1,30} gesendet|diese nachricht wurde von|holen sie sich outlook"
    r"|outlook für (?:ios|android)|enviado (?:desde|do meu|a partir|con|via|através)\b|enviada (?:do|a partir)\b"
    r"|obtener outlook|obter (?:o )?outlook|inviato (?:da|con|dal)\b|scarica outlook|ottieni outlook"
    r"|verzonden (?:vanaf|met|via|vanuit)\b|verstuurd (?:vanaf|met|via)\b|outlook voor (?:ios|android)"
    r"|sendt (?:fra|med|via)\b|hent outlook|få outlook|skickat (?:från|med|via)\b|skaffa outlook|hämta outlook"
    r"|lähetetty \S{1,40}|hanki outlook|wysłan[eoy] (?:z|przez)\b|pobierz (?:program )?outlook"
    r"|odesláno (?:z|ze|pomocí)\b|odoslané (?:z|zo)\b|elküldve\b|trimis (?:de pe|din)\b|отправлено (?:с|из)\b"
    r"|надіслано (?:з|із)\b|στάλθηκε από|(?:iphone|ipad|android)[^ ]{0,10} gönderildi|dikirim dari|được gửi từ"
    r"|发自我的|从我的|從我的|iphoneから送信|나의 iphone에서|내 iphone에서|נשלח מה"
)
"""How a phone's signature begins: one regular expression."""

OPENERS = (
    r"on|le|am|der|den|el|il|em|op|dne|dňa|dnia|w dniu|на|la data|în data|tarihinde|pada|vào|vào lúc|ngày|στις"
    r"|της|ב|בתאריך|في|el dia|dana|dag|il giorno|a las|kuupäeval|fra|from|von|de|van|från|od|от|da"
)
"""How an attribution begins, where no day or figure does."""

DAYS = (
    r"(?:(?:on|le|am|dne|dnia|em|op|el|il|den|a) )?"
    r"(?:mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|mo|di|mi|do|fr|sa|so"
    r"|dom|seg|ter|qua|qui|sex|sáb|mån|tis|ons|tors|fre|lör|sön|ma|ti|ke|to|pe|la|su|pon|wt|śr|czw|pt|пн|вт|ср|чт|пт|сб|вс"
    r"|út|st|čt|pá|ne|maandag|woensdag|vrijdag|zaterdag|zondag)"
)
"""How the names of days begin."""
