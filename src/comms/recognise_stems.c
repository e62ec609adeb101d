/* The words: data, by what they mean and by language. */
#include "comms/recognise_inside.h"

#define PRIVATE (W_KEY | W_PRIVATE)

/* Starts of words, folded as recognise_fold() does; a blank at the end: the whole word. Scripts that write no blanks
 * between words are met anywhere. */
const struct stem_row stem_rows[] = {
	/* ---- English ---- */
	{ W_REVOKE, "revok|revoc|unrevoked|revoek|reovk|revke |rovoke" },
	{ W_REVOKE | W_PAST, "revoked" },
	{ W_REVOKE | W_ASK, "be revoked|gets revoked|get revoked" },
	{ W_REVOKE | W_PAST | W_DONE | W_INFO, "revoked certificates |revoked leaf|revoked entr|revoked serials|"
		"all revoked|revocation statistics" },
	{ W_REVOKE | W_PAST | W_DONE, "is revoked|are revoked|err cert revoked|already revoked|just revoked|"
		"now revoked" },
	{ W_CANCEL, "invalidat|cancel|annul|withdraw|withdrew|deactivat|disable|disabling|block |blocked |blocking|"
		"blocklist|blacklist|distrust|kill |killed |nuke |take down |taken down |take it down|takedown|"
		"take it back|taken back|take back|take away|suspend|pull |pulled |make it invalid|make invalid|"
		"render invalid|no longer be trusted|not be trusted|no longer trust|stop trusting|terminate|nullif|"
		"rescind|recalled|void |voided|decommission|get rid of|gone |cease |remove it|remove this|and remove|"
		"put out of|out of circulation|in circulation|take out of|taken out of|stop being valid|be stopped|"
		"stop it|stop this|has to go|have to go|must go|no longer need|not needed any|no longer used|"
		"no longer in use|out of service|retract|off the list|put an end|end the validity|bin it|bin the|"
		"scrap |switch off|switched off|turn off|turned off|nobody can use|no one can use|can t be used|"
		"cannot be used|not be used any|unusable|useless|worthless|stops working|stop working|undo |expire it|"
		"expire this|no longer be valid|not be valid|not remain valid|not stay valid|stay valid|remain valid|"
		"remains valid|invalid as soon|make this invalid|make them invalid|declare invalid|declared invalid|"
		"shut down" },
	{ W_CERT, "certificat|certifiact|certifc|certficat|cetificat|cerificat|certicat|cert |certs |ssl |tls |x 509|"
		"x509|crt sh |wildcard|precert|serial |issuance|smime |s mime |subscriber cert|https cert|leaf cert|"
		"server cert|client cert|code signing|ev cert|dv cert" },
	{ PRIVATE, "private key|privatekey|privat key|priv key|prvate key|privkey|keypair|key pair|key material|"
		"keyfile|key file|keymaterial|secret key|secret file|secret part|pkcs12|pkcs 12|pkcs8|pfx |p12 |"
		"keystore|hsm |server key |server s key|tls key|ssl key|signing key|certificate key|cert key|"
		"certificate s key|key of the certificate|key for the certificate|key to the certificate|"
		"key to our certificate|key of our certificate|key for our certificate|key for this cert|"
		"key of this cert|key that belongs|yubikey|smartcard|smart card|begin rsa private" },
	{ W_KEY, "key |keys |pem " },
	{ W_PUBLIC, "public key" },
	{ W_OTHER, "wallet|coins|seed phrase|recovery key|office|api key|access key|ssh key|pgp key|gpg key|licen|"
		"product key|access token|api token|bearer token|password|passwort|api schluessel|lizenz|ihre lizenz|"
		"gift card|your account|your mailbox|user account" },
	{ W_LEAK | W_KEY, "keycompromise|cacompromise|weak key|debian weak|debian openssl|weak debian|roca |"
		"heartbleed|fermat|badkeys|pwnedkeys|weak prng|weak rng|duplicate key|shared prime|factor the|"
		"could factor|can factor|batch gcd|shared factor|common factor|prime factor|cve 2008 0166|"
		"cve 2017 15361|close primes|static key|same key in every|same key on every" },
	{ W_LEAK | W_CERT, "misissu|mis issu|wrongly issued|wrongfully issued|bygonessl|bygone ssl|issued in error|"
		"issued incorrectly|erroneously issued|improperly issued|issued improperly|issued to someone|"
		"issued to somebody|issued to another|issued without|issued this without|rogue cert|fake cert|"
		"fraudulent cert" },
	{ W_LEAK, "compromis|compromiz|comprimis|comprimiz|leak|expos|disclos|stolen|stollen|stole |theft|exfiltrat|"
		"hacked|hackers|got hacked|breach|intrusion|intruder|ransomware|backdoor|rootkit|fraudulent|"
		"unauthoris|unauthoriz|not authoris|not authoriz|never authoris|never authoriz|without authori|"
		"without our knowledge|without our consent|without our permission|without my knowledge|"
		"without permission|never requested|never ordered|never asked|never applied|did not request|"
		"didn t request|not request|did not order|didn t order|did not apply|did not ask for|didn t ask for|"
		"who ordered|who requested|nobody here|not ordered by|no one here|abus|phishing|phish |impersonat|"
		"imitat|malware|botnet|factored|factoris|factoriz|be factored|pwned|someone else|somebody else|"
		"unknown person|unknown part|unknown third|third party has|not us |should not have been issued|"
		"should never have been issued|never have been issued|should not have issued|broke into|broken into|"
		"break in |hijack|been taken over|account takeover|takeover|fake |spoof|steal|not ours|illegitimate|"
		"rogue|typosquat|look alike|lookalike|scam |scammer|wrong company|wrong person|exploit|infiltrat|"
		"wrong hands|in the hands of|non compliant|noncompliant|not compliant|violat|contrary to the baseline|"
		"previous owner|former owner|prior owner|previous registrant|former registrant|no longer entitled|"
		"no longer authori|no longer own|no longer control|no longer belong|not belong to|not the owner|"
		"not own the|bought the domain|acquired the domain|purchased the domain|re registered|reregistered|"
		"registration lapsed|changed hands|cannot be validated|cannot have been validated|"
		"not have been validated|improper validation|caa violation|recovered from a|dump of|dumped|posted on|"
		"posted to|left open|world readable|readable by|bad terms|disgruntled|went rogue|kept a copy|"
		"kept copies|took a copy|took copies|still have access|still has access|sinkhole|trojan|crypto locker|"
		"lost control|owned by attacker|got root|had root|thieves|thief|nicked|burglar|burgled|snatched|"
		"robbed|robbery|a shell on|webshell|web shell|forensic|malicious|command and control|isn t ours|"
		"aren t ours|is not ours|not one of ours|not from us|never approved|not approved|did not approve|"
		"didn t approve|never consented|never agreed|never gave|bgp |foreign as|refuses to hand over|"
		"refuses to give|parted company|bad faith|posing as|pretend|copycat|counterfeit|defraud|"
		"transferred to a|been transferred|transferred the domain|domain was transferred|new owner|"
		"changed owner|change of owner|sold the domain|sold our domain|impostor|imposter|no business relation|"
		"not affiliated|nothing to do with us|infected|confiscat|seized|cyber attack|cyberattack|"
		"cyber incident|security incident|tampered|spyware|keylogger|former agency|former provider|"
		"former host|former admin|former contractor|ex admin|previous admin|previous provider|previous agency|"
		"old agency|former web|former developer|fired |dismissed|ceased trading|ceased operations|"
		"out of business|liquidat|insolven|bankrupt|passed away|should not exist|shouldn t exist|"
		"must not exist|no record of|not recogni|don t recogni|unexpected certificate|suspicious|"
		"not in our inventory|changed our dns|changed her dns|changed his dns|dns record was changed|"
		"dns was changed|in my name|in our name|using our name|using our company name|use our company name|"
		"uses our company name|use of our company name|never set up|somebody got|someone got|"
		"somebody obtained|someone obtained|not permitted|not conform|prohibited|against the baseline|"
		"exceeds the|validity exceed|exceeding the|398 days|does not comply|do not comply|fails the lint|"
		"lint error|zlint |credential harvest|credential theft|credential material|burnt|burned|"
		"no longer secret|no longer confidential|sole control|rule out|cannot exclude|can t exclude|"
		"no longer under our control|shared private key|publicly known|lost his laptop|lost her laptop|"
		"lost my laptop|lost a laptop|lost laptop|lost their laptop|lost his phone|lost his usb|subpoena|"
		"vulnerable to|dark web|darknet|telegram channel" },
	{ W_LOST, "kept the|still has |still have |still hold|still possess|possession of|android app|ios app|"
		"mobile app|apk |in their app|gone missing|went missing|taken from|available to anyone|"
		"available for download|available online|accessible to|accessible from|accessible via|visible to|"
		"exfil|handed back|cloned|in the open|in the wild|out there|got out|ended up|suspect|slack |dropbox|"
		"usb stick|ftp |nfs |samba|shodan|update package|shared by|same key|reused|source code|javascript|"
		"web cache|stackoverflow|etc ssl private|matches the cert|matches a cert|matches your cert|"
		"match the cert|same tls key|one and the same|given to|handed to|can be obtained|was obtained|"
		"could obtain|lost |loss |missing since|missing laptop|missing device|missing disk|"
		"missing from the safe|reported missing|disappear|copied|copies|uploaded|anyone can|everyone can|"
		"anybody can|shared with|hard coded|hardcoded|public |publicly|published|github|gitlab|bitbucket|"
		"gist |pastebin|paste |docker|firmware|squashfs|repositor|repo |s3 bucket|bucket|had access|"
		"has access|gained access|having access|unauthorised access|unauthorized access|access to our|"
		"could access|full access|got access|attacker|downloadable|committed|checked in|pushed|i found|"
		"we found|have found|found a |found an |found the |found on |found in |found your |was found|"
		"were found|been found|found this|found it|embedded|sold |former employee|ex employee|"
		"left the company|left us|by mistake|by accident|accidentally|inadvertent|internet|emailed|"
		"attached the key|in plain text|plaintext|unencrypted|read out|in every device|app store|binary|"
		"decompil|readable|web root|webroot|directory listing|open directory|indexed" },
	{ W_FAULT, "still states|still shows|still names|never belonged|dissolved|does not belong|incorrect|misspel|"
		"mistake in|invalid |wrong |inaccurat|false |not match|mismatch|erroneous|does not exist|"
		"doesn t exist|not exist|never been called|never had|not our company|typo in|names us as|bogus|"
		"not correct|untrue|misleading|outdated|some state|default city|internet widgits" },
	{ W_DATA, "company|organisation|organization|subject|address |locality|stateorprovince|state |country|"
		"business|legal name|registered name|jurisdiction|information in|data in|details in|"
		"registration number|common name|email address in|san |dnsname|firma|firmenname|societe|empresa|"
		"azienda|ragione sociale" },
	{ W_ASK, "go ahead|proceed|what now|what should|what do we|please|pls |plz |plse |kindly|must |need|request|"
		"require |demand|want |would like|hereby|ask you|ask for|ask that|asking|should |could you|can you|"
		"can u |could u |would you|will you|are you able|would it be possible|is it possible to|have to|"
		"let us know once|be so kind|appreciate|instruct|insist|expect you|urge you|would rather|suggest|"
		"has to be|ought to|we wish|i wish|call on you|do so|act according|investigate|report |reporting |"
		"notify you|informing you|inform you|to let you know|bring to your attention|for your attention|"
		"flagging|heads up|make sure|ensure |see to it|take care of|deal with it|dealt with|measures" },
	{ W_MINE, "our |ours |my |mine |we have |we had |we own " },
	{ W_THIS | W_ASK, "this certificat|this cert |these certificat|these certs |following certificat|"
		"certificate below|certificates below|attached certificat|certificate attached|cert attached|"
		"said certificate|above certificat|the certificate in|your ca issued|you issued|issued by you|"
		"you have issued|you had issued|you gave|your ca has|from your ca|signed by you|by your ca|"
		"your company issued|your certificate for|your cert for|cert is yours|certificate is yours|"
		"cert is for|certificate is for|our certificat|our cert |our certs |our ssl|our tls|our key|"
		"our private|our wildcard|our server cert|our server key|my certificat|my cert |my ssl|my tls|my key|"
		"my private|the certificate for|the cert for|the certificate of|certificate with serial|"
		"cert with serial|certificate with the|cert serial|revoke serial|old certificat|old cert |"
		"previous certificat|key for the cert" },
	{ W_YOURS, "your |yours " },
	{ W_IF | W_YOURS, "in case of|in the event of|in the case of|upon compromise|im falle|im fall |bei verlust|"
		"bei kompromit|en cas de|em caso de|en caso de|in caso di|in geval van|w przypadku|v pripade|"
		"i tilfaelde|i tilfelle|в случае|у разі" },
	{ W_IF, "if |in case |in the event|whenever|should you|unless|when a |when the |when your|suppose|"
		"hypothetical|in general" },
	{ W_URGENT, "urgent|immediate|asap |emergency|right away|right now|as soon as|24 hours|24h |promptly|"
		"without delay|at once|straight away|quickly|critical" },
	{ W_INFO, "to revoke a certificate|to revoke your|log in to the portal|revocation requests|do you |have you |"
		"does your |is there a |are there |how |explain|documentation|policy |policies|question|wonder|learn|"
		"blog|article|guide|what is|what are|what happens|what do |what does|difference|whitepaper|"
		"white paper|crl |crls |ocsp|revocation list|revocation check|revocation info|revocation status|"
		"best practice|tips |audit|whether|roadmap|where in|where do|where can|which address|lessons|ballot|"
		"draft |discussion|handbook|tutorial|curious|faq |knowledge base|drill|exercise|test ca " },
	{ W_INFO | W_TALK, "sample selection|pbc list|audit request|webtrust|interview|webinar|newsletter|training|"
		"conference|survey|call for papers|call for talks|cfp |invite talks|talks |workshop|summit|meetup|"
		"podcast|this week|weekly|minutes |agenda|case study|research paper|thesis|questionnaire|monthly|"
		"press release|seminar|statistic" },
	{ W_DONE, "was |were |has been|have been|had been|successfully|as you requested|as requested" },
	{ W_NOT, "not |never |still |nothing |nobody " },
	{ W_PROMO, "rsvp|our experts|cost companies|companies millions|webinars|meet us|learn how|learn more|"
		"free of charge|save your seat|book a demo|seats are limited|forward to a friend|unsubscrib|"
		"click here|click the|click http|special offer|discount|limited time|free trial|register now|mailbox|"
		"verify your|your account|lottery|bitcoin|btc |winner|viagra|casino|view in browser|read online|"
		"view online|gift card|gift certificate|driver s licen|degree|birth certificate|marriage|your device|"
		"webcam|unpaid|non payment|restore your|offer ends|deals|sale |order now|join us|save the date|"
		"sponsor|your subscription|manage preferences|opt out" },
	{ W_TRADE, "net err|err cert|err ssl|compatible|unlock|works now|works fine|everything works|validation mail|"
		"address book|set up|cpanel|browser|which value|what value|rate limit|quota|not issue|"
		"key values mismatch|does not start|emerg |hiring|vacancy|candidate|career|job |convert|import|"
		"what does it cost|install|new certificate was|new certificates for|new certificate issued|"
		"certificate was issued|certificates were issued|renew|invoice|quote |purchase|order |ordered|expire|"
		"expiry|expiration|configur|error |chain |intermediate|download your|payment|refund|billing|reset|"
		"validation call|upgrade|thank you for|reminder|monitor|alert|maintenance|latency|slow |unreachable|"
		"not reachable|watchlist|certificates for your domains|price|pricing|trial |support plan|"
		"has been issued|was issued|ticket closed|resolved" },
	{ W_RULE, "caa |baseline requirement|problem report|4 9 1 1|section 4 9|cps |cp cps|certificate problem|"
		"incident report|proof of compromise|proof of possession|linter|zlint|pkilint|cabforum|ca b forum|"
		"brs |br timelines|ccadb" },
	{ W_RULE | W_REVOKE, "revocation request|request for revocation|request to revoke|request revocation|"
		"requesting revocation|widerrufsantrag" },
	{ W_RULE | W_LEAK | W_KEY, "key compromise|compromised key|compromised private key" },

	/* ---- German ---- */
	{ W_REVOKE, "widerruf|widerrief|wiederruf|sperrung|sperren|sperrt|sperre |gesperrt|sperrauftrag|sperrantrag|"
		"zuruckgezogen|zurueckgezogen|zurueckzieh|zurueckzuzieh|ziehen sie|revozier|zurueckruf" },
	{ W_REVOKE | W_CERT, "zertifikatswiderruf|zertifikatssperr|zertifikatsperr" },
	{ W_CANCEL, "deaktivier|ungueltig|stornier|blockier|weg damit|loswerden|zuruecknehmen|zuruecknahme|entziehen|"
		"einzieh|einzuzieh|entwert|aus dem verkehr|annullier|loeschen|beenden|ausser kraft|nicht mehr vertrau|"
		"nicht mehr gueltig|nicht laenger gueltig|stilllegen|vom netz|abschalt|ausser betrieb|"
		"nicht mehr verwend|unbrauchbar" },
	{ W_CERT, "zertifikat|zertfikat|zertifkat|serverzertifikat|zert |seriennummer|serien nr|seriennr|"
		"webserverzertifikat" },
	{ W_KEY, "schluessel|schlussel" },
	{ PRIVATE, "privatschluessel|private schluessel|privaten schluessel|privater schluessel|privatem schluessel|"
		"privat schluessel|privatkey|schluesselmaterial|geheime schluessel|geheimen schluessel|"
		"serverschluessel|zertifikatsschluessel|schluesseldatei|schluesselpaar" },
	{ W_PUBLIC, "oeffentliche schluessel|oeffentlichen schluessel" },
	{ W_LEAK, "kompromit|kompromiss|geleakt|fehlausgest|falsch ausgestellt|gestohlen|entwendet|diebstahl|geklaut|"
		"weggekommen|mitgenommen|verweigert|weitergegeben|gepostet|ins netz|aufgefunden|beschlagnahm|entdeckt|"
		"aufgetaucht|insolvenz|vorgefunden|fremden haenden|unbekannte|ehemaliger dienstleister|"
		"ehemaligen dienstleister|alte agentur|datenabfluss|cyberangriff|offengelegt|preisgegeben|abgeflossen|"
		"abgegriffen|entwichen|gehackt|hacker|einbruch|eingebrochen|unbefugt|unberechtigt|missbrauch|"
		"misbrauch|betrueger|betrug|gefaelscht|faelsch|erbeutet|ausgespaeht|in die haende|falsche haende|"
		"fremde haende|dritte gelangt|dritter gelangt|sicherheitsvorfall|verstoss|verstoess|nie beantragt|"
		"nicht beantragt|nie bestellt|nicht bestellt|ohne unser wissen|ohne unsere zustimmung|ohne auftrag|"
		"faktorisiert|ausgelesen|einsehbar|jemand anderem|jemand anders|fremde person|schadsoftware|"
		"verschluesselungstrojaner|phishing seite|nachgeahmt|vorbesitzer|vorherige inhaber|frueherer inhaber|"
		"frueheren inhaber|domain uebernommen|domain erworben|domain verkauft|nicht mehr uns|"
		"nicht mehr berechtigt|datenleck|datenpanne" },
	{ W_LOST, "verschwunden|verlust|verlegt|kopiert|hochgeladen|verloren|abhanden|oeffentlich|veroeffentlicht|"
		"zugriff|angreifer|eingecheckt|gefunden|verkauft|versehentlich|ausgeschieden|ehemalig|verschickt|"
		"im klartext|zugaenglich" },
	{ W_FAULT, "falsche angabe|falsche firma|falschen namen|fehlerhaft|unrichtig|nicht korrekt|stimmt nicht" },
	{ W_ASK, "bitte|muss|muessen|beantrag|ersuch|fordern|moecht|hiermit|veranlass|brauch|benoetig|sollte|soll |"
		"wollen|koennen sie|koennt ihr|koenntet|koennten sie|auftrag|antrag|wuerden sie|waere es moeglich|"
		"melden wir|teilen wir" },
	{ W_MINE, "unser|mein|wir haben" },
	{ W_THIS | W_ASK, "dieses zertifikat|diese zertifikate|folgende zertifikat|folgendes zertifikat|"
		"das untenstehende|beigefuegte zertifikat|von ihnen ausgestellt|ihrer ca|ihre ca |ihr zertifikat fuer|"
		"unser zertifikat|unsere zertifikat|unserem zertifikat|unseres zertifikat|unseren schluessel|"
		"unser schluessel|unserem schluessel|mein zertifikat|meines zertifikat|das zertifikat fuer|"
		"zertifikats fuer|alte zertifikat" },
	{ W_YOURS, "ihr |ihre |ihren |ihrem |ihres " },
	{ W_IF, "falls|wenn sie|wenn ihr|sofern|sollten sie|grundsaetzlich|allgemein" },
	{ W_URGENT, "dringend|sofort|umgehend|unverzueglich|schnellstmoeglich|eilt |notfall|24 stunden|sobald wie|"
		"heute noch" },
	{ W_INFO, "wie |frage|erklaer|anleitung|unterschied|artikel|was passiert|schulung|dokumentation|richtlinie|"
		"sperrliste|rundbrief|veranstaltung|seminar|tagung|vortrag|wo finde" },
	{ W_INFO | W_PROMO, "widerrufsrecht|widerrufsbelehrung" },
	{ W_DONE, "wurde|worden|erfolgreich|wie gewuenscht" },
	{ W_NOT, "nicht |noch |nie |niemals" },
	{ W_PROMO, "jetzt anmelden|abbestell|abmeld|rabatt|ihr konto|hier klicken|klicken sie|im browser" },
	{ W_TRADE, "bestell|rechnung|verlaenger|erneuer|laeuft ab|ablauf|angebot|welche|fehler|kette |meldet|zugang|"
		"installier|einrichten|lieferung|zahlung" },

	/* ---- French ---- */
	{ W_REVOKE, "revoqu|revocat" },
	{ W_CANCEL, "invalider|annul|desactiv|retirer|retrait|supprim|suspend|mettre fin|bloquer|hors service|"
		"plus valable|plus valide|ne soit plus|inutilisable" },
	{ W_CERT, "certificat|numero de serie|n de serie" },
	{ PRIVATE, "cle privee|cles privees|clef privee|clefs privees|cle secrete|cle du certificat|cle du serveur|"
		"cle ssl" },
	{ W_KEY, "cle |cles |clef " },
	{ W_LEAK, "ancien hebergeur|subtilis|ancienne agence|cyberattaque|fuit|vole |volee|voles|vol de|divulgu|"
		"compromis|compromet|pirat|intrus|frauduleu|usurp|hameconnage|sans notre accord|"
		"sans notre autorisation|a notre insu|non autoris|jamais demande|jamais commande|expose|derob|"
		"rancongiciel|attaque|ancien proprietaire|ancien prestataire|detourn|exfiltr" },
	{ W_LOST, "perdu|publi|acces a|par erreur|depot|diffus|ancien employe|ancien salarie|trouve " },
	{ W_FAULT, "errone|inexact|incorrect|faux |fausse" },
	{ W_ASK, "merci de|veuillez|svp |s il vous plait|demand|pouvez vous|pourriez|souhait|priere|prions|"
		"je vous prie|il faut|doit |voul" },
	{ W_MINE, "notre|nos |mon |ma |mes |nous avons" },
	{ W_THIS | W_ASK, "ce certificat|ces certificats|certificat suivant|certificat ci joint|emis par vos|"
		"que vous avez emis|par votre|notre certificat|nos certificats|mon certificat|le certificat du|"
		"le certificat de|notre cle|l ancien certificat" },
	{ W_YOURS, "votre|vos " },
	{ W_IF, "si vous|si votre|dans le cas" },
	{ W_URGENT, "urgence|immediatement|meilleurs delais|au plus vite|tout de suite|sans delai" },
	{ W_INFO, "comment |difference entre|formation|lettre d information|atelier" },
	{ W_TRADE, "facture|devis|commande|renouvel|install|expir|echeance" },
	{ W_DONE, "a ete |ont ete |avec succes" },
	{ W_NOT, "pas |jamais" },
	{ W_PROMO, "cliquez|desabonn|desinscri" },

	/* ---- Spanish, Portuguese ---- */
	{ W_REVOKE, "revoc|revoqu|revog" },
	{ W_CANCEL, "anular|anulacion|anule|invalidar|invalide|invalidac|cancel|desactiv|desativ|dar de baja|inutiliz|"
		"retirar|retiren|bloque|de baja|deje de ser|ya no sea|deixe de ser|nao seja mais" },
	{ W_CERT, "certificad|numero de serie" },
	{ PRIVATE, "clave privada|claves privadas|llave privada|chave privada|chaves privadas|clave secreta|"
		"clave del servidor|clave del certificado|chave do certificado|chave secreta" },
	{ W_KEY, "clave |claves |llave |chave |chaves " },
	{ W_LEAK, "comprometi|filtrad|filtrac|filtro |robad|robo |roubad|roubo|furto|sustraid|hacke|intrus|invad|"
		"invas|vazad|vazou|vazament|expuest|expost|fraud|suplant|ataque|no autorizad|nao autorizad|"
		"sin autorizacion|sem autorizacao|sin nuestro|sem nosso|nunca pedimos|no hemos solicitado|"
		"nao solicitamos|antiguo propietario|antigo dono|ransomware|brecha|atacante" },
	{ W_LOST, "perdid|publicad|por error|por engano|acceso a|acesso a|ex empleado|ex funcionario|publico|subid|"
		"repositorio|encontr" },
	{ W_FAULT, "incorrect|erroneo|errado|errada|equivocad|inexact" },
	{ W_ASK, "por favor|favor |solicit|rogamos|ruego|pedimos|peco |pido |necesit|precis|pueden|podrian|podem|"
		"poderiam|queremos|quisiera|gostari|exigimos|debe |deve |deben|devem|agradec" },
	{ W_MINE, "nuestr|noss|mi |meu |minha|hemos|temos" },
	{ W_THIS | W_ASK, "este certificad|estos certificad|estes certificad|siguiente certificad|seguinte certificad|"
		"certificado adjunto|certificado anexo|emitido por ustedes|emitido por voces|su ca |su autoridad|"
		"nuestro certificad|nuestros certificad|nosso certificad|nossos certificad|mi certificad|"
		"meu certificad|certificado de |certificado para |certificado do |certificado emitido" },
	{ W_YOURS, "su |sus |seu |sua " },
	{ W_IF, "si su |si usted|si tu |caso seu|caso sua|se voce|se o seu|se a sua" },
	{ W_URGENT, "inmediat|imediat|urgenc|cuanto antes|lo antes posible|o quanto antes|ya mismo" },
	{ W_INFO, "como |pregunta|pergunta|taller|boletin|boletim|oficina|duda|duvida" },
	{ W_TRADE, "factura|fatura|pedido|renov|instal|caduc|vence |vencimient|vencimento|presupuesto|orcamento|"
		"cotiza|expir|compra" },
	{ W_DONE, "ha sido|han sido|fue |fueron|foi |foram" },
	{ W_NOT, "no |nao |nunca" },

	/* ---- Italian ---- */
	{ W_REVOKE, "revoc" },
	{ W_CANCEL, "annull|invalidar|disattiv|ritir|non sia piu|non piu valid|non deve piu|sospend|blocc" },
	{ W_CERT, "certificat|seriale|numero di serie" },
	{ PRIVATE, "chiave privata|chiavi private|chiave segreta|chiave del certificato|chiave del server" },
	{ W_KEY, "chiave |chiavi " },
	{ W_LEAK, "comprome|rubat|furto|trafug|sottratt|violat|violazione|intrusion|attacc|hacker|fraud|falsific|"
		"non autorizzat|mai richiest|mai ordinat|senza il nostro|senza autorizzazione|esposta|esposto|"
		"divulgat|sfuggit|diffus|ex dipendente|vecchio proprietario|precedente proprietario" },
	{ W_LOST, "persa |perso |smarrit|pubblic|per errore|per sbaglio|accesso a|trovat|caricat" },
	{ W_FAULT, "errat|inesatt|sbagliat|scorrett" },
	{ W_ASK, "per favore|chied|richied|richiest|vi preghi|si prega|potete|potreste|vogliate|vorrei|vorremmo|"
		"bisogna|deve |necessari|da revocare" },
	{ W_MINE, "nostr|mio |mia |abbiamo" },
	{ W_THIS | W_ASK, "questo certificat|questi certificat|seguente certificat|certificato allegato|da voi emess|"
		"emesso da voi|vostra ca|nostro certificat|mio certificat|il certificato di|il certificato per|"
		"certificato intestato" },
	{ W_YOURS, "vostr|tuo |tua |suo |sua " },
	{ W_IF, "se il vostro|se la vostra|se il tuo|qualora|nel caso" },
	{ W_URGENT, "subito|immediat|al piu presto|prima possibile|urgent" },
	{ W_INFO, "domanda|corso |seminario|guida" },
	{ W_TRADE, "fattura|ordine|rinnov|install|scad|preventivo|acquist" },
	{ W_DONE, "e stato|e stata|sono stati" },
	{ W_NOT, "non |mai " },

	/* ---- Dutch ---- */
	{ W_REVOKE, "intrekk|ingetrokken|intrek |ontrek|herroep" },
	{ W_REVOKE, "trek het|trekken jullie|trekt u" },
	{ W_CANCEL, "beeindig|ongeldig|niet meer geldig|buiten werking|onbruikbaar|annuleer|blokkeer|deactiveer|"
		"uitschakel|stopzet" },
	{ W_CERT, "certificaat|certificaten|serienummer" },
	{ PRIVATE, "prive sleutel|privesleutel|private sleutel|geheime sleutel|sleutelmateriaal|sleutelbestand" },
	{ W_KEY, "sleutel" },
	{ W_LEAK, "faillissement|voormalig|weigert|gekraakt|hackers|gecompromitteerd|gelekt|uitgelekt|lek |gestolen|"
		"diefstal|buitgemaakt|inbraak|ingebroken|misbruik|onbevoegd|frauduleus|nooit aangevraagd|"
		"niet aangevraagd|zonder onze|zonder toestemming|ten onrechte|op straat|blootgesteld|vorige eigenaar|"
		"datalek|gijzelsoftware" },
	{ W_LOST, "kwijt|verloren|openbaar|openbare|per ongeluk|toegang tot|oud medewerker|gevonden|geupload" },
	{ W_FAULT, "onjuist|verkeerd|foutief" },
	{ W_ASK, "graag|gelieve|verzoek|svp |aub |alsjeblieft|alstublieft|willen jullie|kunnen jullie|kunt u|wilt u|"
		"moet |zou u|vragen wij" },
	{ W_MINE, "onze |ons |mijn " },
	{ W_THIS | W_ASK, "dit certificaat|deze certificaten|volgende certificaat|bijgevoegde certificaat|"
		"door jullie uitgegeven|door u uitgegeven|ons certificaat|onze certificaten|mijn certificaat|"
		"certificaat van|certificaat voor|oude certificaat" },
	{ W_YOURS, "uw |jouw |jullie " },
	{ W_IF, "als uw|als u |indien|mocht u|in geval" },
	{ W_URGENT, "dringend|per direct|onmiddellijk|zo snel mogelijk|spoed" },
	{ W_INFO, "hoe |vraag|uitleg|handleiding|cursus|nieuwsbrief" },
	{ W_TRADE, "factuur|bestelling|verleng|installeer|installeren|verloopt|offerte" },
	{ W_DONE, "werd |is ingetrokken|succesvol" },
	{ W_NOT, "niet |nooit|geen " },

	/* ---- Polish, Czech, Slovak ---- */
	{ W_REVOKE, "uniewazn|odwola|cofni|zneplatn|odvola|revokac|revoko|zrusen|zrusit|zruste" },
	{ W_CANCEL, "anulo|zablok|dezaktyw|wylacz|zastrzez|zastrzeg" },
	{ W_CERT, "certyfikat|certifikat|numer seryjny|serijove cislo|seriove cislo" },
	{ PRIVATE, "klucz prywatn|klucza prywatn|kluczy prywatn|kluczem prywatn|soukrom|privatni klic|sukromn|"
		"privatny kluc|tajny klucz" },
	{ W_KEY, "klucz|klic|kluc " },
	{ W_LEAK, "skompromit|kompromit|wyciek|ujawni|skradz|kradzie|wlaman|zhakow|przej|naruszen|bez naszej|"
		"nieuprawn|nieautoryz|falszyw|oszust|odcizen|ukraden|unikly|napaden|hacknut|napadnut|zneuzit|"
		"neopravnen|podvod|poprzedni wlasciciel|predchozi vlastnik" },
	{ W_LOST, "zgub|utrac|publiczn|opublikow|omylkowo|przez pomylke|dostep do|ztracen|verejn|omylem|pristup k" },
	{ W_FAULT, "nieprawidlow|bledn|nespravn|chybn" },
	{ W_ASK, "prosze|prosba|prosim|zadost|wniosek|wnosz|zadam|chcem|chcial|musi |potrzebuj|potrebuj" },
	{ W_MINE, "nasz|moj|nas |nase" },
	{ W_URGENT, "natychmiast|niezwloczn|piln|jak najszybciej|okamzit|neprodlen|co nejdrive|urychlen" },
	{ W_IF, "jesli |jezeli|pokud |ak " },
	{ W_INFO, "jak |pytanie|szkolenie|dotaz|skoleni|otazka" },
	{ W_TRADE, "faktur|zamowieni|odnow|przedluz|instal|wygasa|objednav|obnov|prodlouz|nabidk|ofert" },
	{ W_NOT, "nie |ne " },

	/* ---- Nordic ---- */
	{ W_REVOKE, "aterkall|tilbagekald|tilbakekall|tilbaketrekk|traekke tilbage|spaerr|sperre|peruu|mitaetoei|"
		"sulkulist" },
	{ W_CANCEL, "ugyldig|ogiltig|annuller|makuler|inaktiver|blockera|kuoletta|kumota|poistaa kaytosta" },
	{ W_CERT, "certifikat|sertifikat|varmen|sertifikaat|serienummer|sarjanumero" },
	{ PRIVATE, "privata nyckel|privat nyckel|private noegle|private nogle|private noekkel|private nokkel|"
		"privatnoekkel|privatnyckel|hemliga nyckel|yksityi|salainen avain" },
	{ W_KEY, "nyckel|noegle|nogle |nokkel|noekkel|avain|avaime" },
	{ W_LEAK, "laeck|stulen|stulits|stjaalet|stjalet|stjaelet|laekket|lekket|lekkas|laekage|intraang|intrang|"
		"haackat|angrip|hackad|hacket|roejts|roejd|avsloejad|vuotan|vuoto|varaste|murretti|murrettu|"
		"tietomurto|murto|komprometter|obehoerig|uberettiget|uvedkommende|bedraeg" },
	{ W_LOST, "foerlora|mistet|tapt |offentlig|av misstag|ved en feil|ved en fejl|julki|vahingossa|tilgang|adgang|"
		"aatkomst" },
	{ W_ASK, "vaenligen|vennligst|venligst|snaella|kan ni|kan i |kan dere|begaer|oensker|anmod|pyydaemme|pyydaen|"
		"oleks|ber om|ber er|haluamme" },
	{ W_MINE, "vaar |vart |vores|vort|meidaen|vaart |mitt" },
	{ W_URGENT, "omedelbart|oejeblikkelig|umiddelbart|straks|snarest|genast|vaelittoemaesti|heti |saa snart|kiire" },
	{ W_IF, "om du |om er |hvis |jos " },
	{ W_INFO, "hur |hvordan|miten|fraaga|kurs |nyhetsbrev" },
	{ W_TRADE, "faktura|bestaellning|foernya|forny|tilaus|uusi |lasku|ordre |installer" },

	/* ---- Hungarian, Romanian, Turkish, Baltic, South Slavic in Latin letters, Vietnamese, Indonesian ---- */
	{ W_REVOKE, "visszavon|vonjak vissza|revoc|iptal|opoziv|opozv|opozov|preklic|tuehista|tuhista|atsauk|anulet|"
		"panaikin|thu hoi|huy bo|mencabut|pencabutan|dicabut|cabut" },
	{ W_CANCEL, "ervenytelen|letilt|anular|anulat|gecersiz|ponist|batal|nonaktif" },
	{ W_CERT, "tanusitvany|certificat|sertifika|certifikat|potvrd|chung chi|chung thu|chung nhan|seri numara|"
		"seria " },
	{ PRIVATE, "privat kulcs|maganku|titkos kulcs|cheia privata|cheii private|oezel anahtar|ozel anahtar|"
		"privatni kljuc|zasebn|privaatvoti|privatais|privati|privatus rakt|khoa rieng|khoa bi mat|"
		"kunci pribadi|kunci privat" },
	{ W_KEY, "kulcs|cheia |cheie|anahtar|kljuc|kunci|khoa |voti |rakta" },
	{ W_LEAK, "kiszivarg|ellopt|feltoert|feltort|illetektelen|compromis|furat|scurs|scurger|atacat|neautorizat|"
		"calindi|caldi|sizdi|sizinti|ele gecir|hacklen|yetkisiz|saldir|ukraden|procur|provaljen|kompromit|"
		"varastat|lekki|noplud|nozagt|nutek|pavog|bi lo |ro ri|danh cap|bocor|dicuri|diretas|xam nhap|tan cong" },
	{ W_LOST, "elveszett|nyilvanos|veletlenul|pierdut|din greseala|kaybol|kaybett|herkese acik|yanlislikla|"
		"izgublj|javno|greskom|hilang" },
	{ W_ASK, "kerem|kerjuek|kerjuk|szeretnenk|va rog|va rugam|solicit|dorim|lutfen|luetfen|rica |talep|istiyoruz|"
		"molim|prosim|palun|luedzu|ludzu|prasom|prasau|vui long|xin |de nghi|mohon|tolong|harap" },
	{ W_MINE, "nostru|noastr|bizim|nas |naseg|cua chung|kami |kita |sajat" },
	{ W_URGENT, "azonnal|suergoes|surgos|haladektalan|imediat|de urgenta|acil|derhal|hemen|hitno|odmah|takoj|"
		"nujno|koheselt|nekavejoties|nedelsiant|ngay lap tuc|khan|segera" },
	{ W_TRADE, "szamla|megujit|factur|comand|reinnoi|fatura|siparis|yenile|obnov|narud|gia han|perpanjang|tagihan" },

	/* ---- Russian, Ukrainian, Bulgarian, Serbian ---- */
	{ W_REVOKE, "отозв|отзыв|отзов|аннулир|анулир|відклик|відклич|вiдклик|опозов|опозив|отмен" },
	{ W_CANCEL, "заблокир|недействит|прекрат|деактив|скасув|блокув|закройте" },
	{ W_CERT, "сертификат|сертифікат|серийн|серійн|ssl сертиф" },
	{ PRIVATE, "закрытый ключ|закрытого ключа|закрытые ключи|приватный ключ|приватного ключа|секретный ключ|"
		"секретного ключа|приватний ключ|закритий ключ|частный ключ|частния ключ|частен ключ|приватни кључ|"
		"ключевая пара|ключевой пары" },
	{ W_KEY, "ключ|кључ" },
	{ W_LEAK, "скомпромет|компромет|компромиса|утеч|утек|украд|похищ|краж|взлом|взлама|хакер|незаконн|"
		"несанкционир|мошенн|фишинг|поддел|раскрыт|разглаш|витік|викрад|злам|крадіж|несанкціон|шахрай|изтек|"
		"откраднат|хакнат|без нашего|без нашей|не заказыва|не запрашива|злоумышл" },
	{ W_LOST, "потер|утрач|утер|публичн|в открытом доступе|опубликован|по ошибке|случайно|доступ к|загублен|"
		"втрачен|випадков|изгуб|уволен|уволил" },
	{ W_FAULT, "неверн|ошибочн|некоррект|неправильн|невірн" },
	{ W_ASK, "прос|прошу|пожалуйста|требу|необходимо|нужно|хотим|должны|будь ласка|моля|молим|можете|заявл|заявк" },
	{ W_MINE, "наш|мой|моего|нас " },
	{ W_URGENT, "срочн|немедленн|как можно скорее|незамедлит|терміново|негайно|спешно|незабавно" },
	{ W_IF, "если |якщо |ако " },
	{ W_INFO, "как |вопрос|обучени|семинар|вебинар|рассылк|як |питання" },
	{ W_TRADE, "счет|оплат|заказ|продлен|продлить|установ|истекает|рахунок|поновл|фактур|поръчк" },
	{ W_NOT, "не |никогда" },

	/* ---- Greek ---- */
	{ W_REVOKE, "ανακλη|ανακαλ" },
	{ W_CANCEL, "ακυρω" },
	{ W_CERT, "πιστοποιητικ" },
	{ PRIVATE, "ιδιωτικο κλειδι|ιδιωτικου κλειδιου|ιδιωτικα κλειδια|μυστικο κλειδι" },
	{ W_KEY, "κλειδι" },
	{ W_LEAK, "διαρρο|διερρευσ|παραβια|εκλαπ|κλαπ|κλοπη|υποκλ|εκτεθ|χακαρ" },
	{ W_ASK, "παρακαλ|ζητ|θα θελαμε" },
	{ W_URGENT, "αμεσ|επειγ" },
	{ W_TRADE, "τιμολογ|ανανεωσ|παραγγελ" },

	/* ---- Chinese, Japanese, Korean: met anywhere ---- */
	{ W_REVOKE, "吊销|吊銷|撤销|撤銷|廢止|废止|注销|註銷|作废|作廢|失効|取り消|取消|폐기|취소|해지" },
	{ W_CANCEL, "停用|禁用|停止|無効|无效|失效|무효|차단|정지" },
	{ W_CERT, "证书|證書|憑證|凭证|証明書|인증서|序列号|序號|序列號|シリアル|일련번호|일련 번호" },
	{ PRIVATE, "私钥|私鑰|密钥|密鑰|金鑰|秘密鍵|プライベートキー|개인키|개인 키|비밀키|비밀 키" },
	{ W_KEY, "鍵|키 " },
	{ W_LEAK, "泄露|洩露|泄漏|洩漏|外泄|外洩|被盗|被盜|盗取|竊取|窃取|入侵|被黑|黑客|駭客|攻击|攻擊|冒充|钓鱼|"
		"釣魚|未经授权|未經授權|漏洩|漏えい|漏れ|流出|盗まれ|盗難|不正|侵害|侵入|ハッキング|なりすまし|"
		"フィッシング|危殆化|유출|누출|도난|해킹|침해|탈취|피싱|무단|악용|誤発行|误签|誤簽" },
	{ W_LOST, "公开|公開|丢失|遺失|遗失|紛失|分실|분실|공개|노출|誤って|误传|誤傳|실수로" },
	{ W_ASK, "请|請|麻烦|麻煩|要求|希望|需要|申请|申請|願い|お願い|いただけ|ください|下さい|依頼|부탁|바랍니다|"
		"요청|주세요|주십시오" },
	{ W_MINE, "我们|我們|我司|敝司|当社|弊|私ども|저희|우리|당사" },
	{ W_URGENT, "立即|立刻|尽快|儘快|紧急|緊急|马上|馬上|至急|早急|直ちに|大至急|긴급|즉시|빨리" },
	{ W_INFO, "如何|怎么|怎麼|どうやって|方法|어떻게|세미나|研讨|研討|セミナー|方針" },
	{ W_TRADE, "续费|續費|续订|續訂|更新|購入|购买|購買|发票|發票|請求書|見積|报价|報價|有効期限|安装|安裝|"
		"インストール|갱신|구매|견적|설치|청구" },

	/* ---- Arabic, Hebrew, Persian: met anywhere, since articles and prepositions are written on to the word ---- */
	{ W_REVOKE, "إلغاء|الغاء|إبطال|ابطال|سحب شهاد|לבטל|ביטול|שלילת|لغو" },
	{ W_CERT, "شهادة|شهاده|الشهاد|תעודה|תעודת|אישור ssl|گواهی" },
	{ PRIVATE, "المفتاح الخاص|مفتاح خاص|المفتاح السري|המפתח הפרטי|מפתח פרטי|کلید خصوصی" },
	{ W_KEY, "مفتاح|מפתח|کلید" },
	{ W_LEAK, "تسرب|تسريب|سرق|اختراق|اخترق|مخترق|كشف|דלף|דליפ|נגנב|נפרץ|פריצה|נחשף|نشت|هک" },
	{ W_ASK, "يرجى|نرجو|نطلب|الرجاء|من فضلك|אנא|נא |מבקשים|לطفا|لطفا" },
	{ W_URGENT, "فورا|عاجل|בדחיפות|מיד|מיידי|فوری" },
};

const size_t stem_row_count = sizeof stem_rows / sizeof stem_rows[0];
