#!/usr/bin/env python3
"""Writes pack_table.c: the dictionary that bodies are compressed with. usage: proto/pack_table.py [--texts], from the top of the sources.

The texts are our own: sentences of the kind that people in the field write, in the four languages of those who use this, with every place,
number and hour drawn anew. Each is put into the content that a record would hold (PROTOCOL.md section 4), and zstd trains on all of them
(zstd 1.5.4: other versions may make another dictionary of the same texts). A dictionary that was ever released never changes: records are
sealed with it. A better one gets the next number, and stands beside it.

--texts prints the sentences instead."""
import os
import random
import re
import subprocess
import sys
import tempfile

NUMBER, BYTES, SAMPLES = 1, 12 * 1024, 9000

# What a sentence leaves open, by language. {n} and {t}: a number, an hour.
WORDS = {
    "es": {
        "place": "El Mango|La Esperanza|San José|Santa Rita|El Carmen|Buenos Aires|Las Flores|Puerto Nuevo|La Unión|Río Blanco|El Tambo|Villa Nueva|San Pedro|Los Naranjos|Alto Bonito|El Porvenir".split("|"),
        "spot": "la escuela|el puente|la iglesia|el puesto de salud|la casa comunal|el cruce|la entrada de la vereda|el río|la carretera principal|el mercado|la finca de arriba|el polideportivo".split("|"),
        "who": "hombres armados|tres hombres en motos|una camioneta sin placas|personas desconocidas|soldados|guardias de la empresa|la policía|un grupo de encapuchados|trabajadores de la mina|vecinos de la comunidad".split("|"),
        "need": "agua potable|medicinas|alimentos|cobijas|carpas|leche para los niños|pañales|gasolina para la planta|un médico|transporte|ropa seca|una ambulancia|jabón y cloro|comida".split("|"),
        "harm": "amenazaron a los líderes|quemaron dos casas|se llevaron a un muchacho|dispararon al aire|cortaron la luz|mataron el ganado|destruyeron los cultivos|cerraron el camino|golpearon a un señor".split("|"),
        "day": "hoy|ayer|anoche|esta mañana|esta tarde|el lunes|el viernes pasado|hace dos días|en la madrugada|la semana pasada".split("|"),
    },
    "en": {
        "place": "Hillside|the upper farm|North Camp|Riverside|the old mill|Mangrove Point|Station Road|the school|East Village|Green Valley|the district hospital|Block 7|the landing|Ward 4".split("|"),
        "spot": "the bridge|the school|the clinic|the church|the community hall|the crossroads|the main road|the river|the water point|the market|the airstrip|the gate".split("|"),
        "who": "armed men|two trucks without plates|unknown people|soldiers|company guards|police|a group of about twenty men|loggers|surveyors|our neighbours".split("|"),
        "need": "clean water|food|medicine|blankets|tents|a doctor|fuel|transport|baby milk|dry clothes|an ambulance|insulin|tarpaulins|first aid|shelter".split("|"),
        "harm": "threatened the leaders|burned two houses|took a young man away|fired shots|cut the power|killed the cattle|destroyed the crops|blocked the road|beat an old man".split("|"),
        "day": "today|yesterday|last night|this morning|this afternoon|on Monday|last Friday|two days ago|before dawn|last week".split("|"),
    },
    "pt": {
        "place": "Boa Vista|São João|Nova Esperança|Santa Maria|Igarapé Grande|Vila Nova|Porto Alegre|Barra do Rio|Serra Azul|Lagoa Seca|Bom Jesus|Terra Preta".split("|"),
        "spot": "a escola|a ponte|a igreja|o posto de saúde|o centro comunitário|a estrada|o rio|o mercado|a entrada da aldeia|o roçado|o porto".split("|"),
        "who": "homens armados|dois caminhões sem placa|pessoas desconhecidas|soldados|seguranças da fazenda|a polícia|garimpeiros|madeireiros|um grupo de homens|nossos vizinhos".split("|"),
        "need": "água potável|remédios|comida|cobertores|barracas|um médico|combustível|transporte|leite para as crianças|roupas secas|uma ambulância".split("|"),
        "harm": "ameaçaram as lideranças|queimaram duas casas|levaram um rapaz|atiraram para o alto|cortaram a luz|mataram o gado|destruíram a plantação|fecharam a estrada".split("|"),
        "day": "hoje|ontem|ontem à noite|hoje de manhã|esta tarde|na segunda|sexta-feira passada|há dois dias|de madrugada|na semana passada".split("|"),
    },
    "fr": {
        "place": "Saint-Michel|la Croix|Port-Salut|Belle-Anse|le Morne|Grande-Rivière|Fond-Vert|Bois-Neuf|Delmas|la Plaine|Carrefour|Source-Chaude".split("|"),
        "spot": "l'école|le pont|l'église|le dispensaire|la mairie|le carrefour|la route principale|la rivière|le marché|l'entrée du village|la maison communale".split("|"),
        "who": "des hommes armés|deux camions sans plaques|des inconnus|des soldats|les gardes de la compagnie|la police|un groupe d'hommes|des bûcherons|nos voisins".split("|"),
        "need": "de l'eau potable|des médicaments|de la nourriture|des couvertures|des tentes|un médecin|du carburant|un transport|du lait pour les enfants|une ambulance".split("|"),
        "harm": "ont menacé les responsables|ont brûlé deux maisons|ont emmené un jeune|ont tiré en l'air|ont coupé le courant|ont tué le bétail|ont détruit les cultures|ont bloqué la route".split("|"),
        "day": "aujourd'hui|hier|hier soir|ce matin|cet après-midi|lundi|vendredi dernier|il y a deux jours|avant l'aube|la semaine dernière".split("|"),
    },
}

SENTENCES = {
    "es": """Llegaron {who} a la vereda {place}; preguntan por los líderes.
Vimos a {who} cerca de {spot} a las {t}.
{day}, {who} {harm} en {place}.
Se necesita {need} y {need} para {n} familias en {place}.
Estamos en {place}, somos {n} personas y no tenemos {need}. Por favor ayuda.
Necesitamos {need} urgente, hay {n} niños enfermos en {spot}.
El puente se cayó y no hay paso entre {place} y {place}.
El río está creciendo, ya llegó a {spot}. Salgan de las casas bajas.
La familia salió de {place} {day} y está a salvo con nosotros.
No sabemos nada de {n} compañeros que salieron {day} hacia {place}.
Todo tranquilo por aquí, sin novedad. Próximo reporte a las {t}.
Llegamos bien a {place}. Seguimos mañana temprano.
Hay {n} heridos en {spot}, dos de gravedad. Manden {need}.
La carretera a {place} está cerrada por un derrumbe desde {day}.
{who} están parando los carros en {spot} y revisan los teléfonos.
Por favor no pasen por {spot}, hay un retén.
La reunión de la comunidad es en {spot} a las {t}. Avisen a todos.
Hicimos la denuncia ante la personería {day}, tenemos copia y testigos.
Los testigos dicen que {who} {harm}; una mujer lo grabó con su celular.
¿Alguien tiene noticias de {place}? No contestan desde {day}.
Recibimos amenazas por mensaje: dicen que tenemos que salir de {place} en tres días.
Se llevaron la madera y abrieron una trocha nueva detrás de {spot}.
El agua bajó sucia y con olor a químico, los peces están muertos en {place}.
Confirmado por dos fuentes: {who} {harm} {day} en {place}, hay {n} familias desplazadas.
La defensora está acompañada, se activó la ruta de protección.
Faltan {n} personas por contar. Seguimos buscando en {spot}.
El médico viene {day}, que los enfermos esperen en {spot}.
Ya repartimos {need}; alcanza para {n} días.
Gracias por la ayuda, llegó todo completo.""",
    "en": """{who} came to {place} {day} and {harm}.
We are {n} people at {place} and we have no {need}. Please help us.
We need {need} and {need} for {n} families near {spot}.
Please send {need} to {place} as soon as possible, there are many children here.
{who} were seen near {spot} at {t}. They asked for our names.
The bridge is down, there is no way through from {place} to {place}.
The water is rising and has reached {spot}. Please move to higher ground now.
{n} families left {place} {day}, they are safe with us.
We have not heard from {n} of our people since {day}. They were going to {place}.
All quiet here, nothing to report. Next check at {t}.
We arrived safely at {place} and will go on in the morning.
There are {n} injured at {spot}, two of them badly. Send {need}.
The road to {place} has been closed by a landslide since {day}.
Do not use {spot}, there is a checkpoint and they are searching phones.
The meeting is at {spot} at {t}. Tell everyone you can.
Witnesses say that {who} {harm}; one woman has a video of it.
Does anybody have news from {place}? Nobody answers since {day}.
They told us to leave {place} within three days.
Confirmed by two sources: {who} {harm} {day}, {n} families had to flee.
Where can we find {need}? My family is in {place}, we are {n} and have nothing to eat.
I am looking for my brother, he was at {spot} when it happened.
Thank you for the information. Can you tell me where the nearest hospital is?
The government said that at least {n} people were killed and thousands more were displaced by the floods.
Heavy rain caused flooding and landslides in the region, destroying houses and crops and cutting off the roads.
Relief workers are distributing {need} to the people who were affected by the earthquake.
The team visited {place} {day} and interviewed {n} people about what had happened to them.
We would like to know when help will come, since the storm there is no {need} in this area.
Trees were cut behind {spot} and a new track leads to the river.
The lawyer has the documents; the complaint was filed {day}.
Supplies will last for {n} days. After that we will need {need}.""",
    "pt": """{who} chegaram em {place} {day} e {harm}.
Somos {n} pessoas em {place} e estamos sem {need}. Por favor, precisamos de ajuda.
Precisamos de {need} e {need} para {n} famílias.
Vimos {who} perto de {spot} às {t}.
O rio está subindo, já chegou até {spot}. Saiam das casas de baixo.
A família saiu de {place} {day} e está segura conosco.
Não temos notícias de {n} companheiros que saíram {day} para {place}.
Tudo tranquilo por aqui, sem novidade. Próximo contato às {t}.
Há {n} feridos, dois em estado grave. Mandem {need}.
A estrada para {place} está fechada desde {day}.
Por favor não passem por {spot}, estão parando os carros.
A reunião da comunidade é às {t}. Avisem todo mundo.
As testemunhas dizem que {who} {harm}; temos fotos e vídeo.
Confirmado por duas fontes: {who} {harm} {day} em {place}.
Eles disseram que temos que sair de {place} em três dias.
A água está suja e os peixes estão morrendo em {place}.
Derrubaram as árvores e abriram um caminho novo atrás da aldeia.
Fizemos a denúncia no ministério público {day}.
Chegamos bem em {place}, seguimos amanhã cedo.
Obrigado pela ajuda, chegou tudo.""",
    "fr": """{who} sont arrivés à {place} {day} et {harm}.
Nous sommes {n} personnes à {place} et nous n'avons pas {need}. Aidez-nous s'il vous plaît.
Nous avons besoin {need} pour {n} familles.
On a vu {who} près de {spot} à {t}.
La rivière monte, elle est déjà à {spot}. Quittez les maisons basses.
La famille a quitté {place} {day}, elle est en sécurité avec nous.
Nous n'avons pas de nouvelles de {n} personnes parties {day} vers {place}.
Tout est calme ici, rien à signaler. Prochain message à {t}.
Il y a {n} blessés, dont deux graves. Envoyez {need}.
La route de {place} est coupée depuis {day}.
Ne passez pas par {spot}, ils contrôlent les voitures et les téléphones.
La réunion est à {t}. Prévenez tout le monde.
Les témoins disent que {who} {harm} ; une femme a filmé.
Confirmé par deux sources : {who} {harm} {day} à {place}.
Ils nous ont dit de quitter {place} dans les trois jours.
L'eau est sale et les poissons sont morts à {place}.
Nous avons porté plainte {day}, nous avons une copie.
Nous sommes bien arrivés à {place}, nous repartons demain matin.
Où pouvons-nous trouver de l'aide ? Nous n'avons rien à manger depuis {day}.
Merci pour l'aide, tout est arrivé.""",
}

CHOICES = {
    "status": "actual exercise test", "type": "alert update cancel", "urgency": "immediate expected future past unknown",
    "severity": "extreme severe moderate minor unknown", "certainty": "observed likely possible unlikely unknown",
    "category": "geo met safety security rescue fire health env transport infra other",
    "stage": "received seen accepted acting resolved declined",
    "violation_status": "confirmed confirmed_violation likely possible unlikely unknown",
    "reliability": "highly_reliable likely_reliable unsure likely_unreliable unknown",
    "monitoring_status": "active pending not_active", "priority": "urgent high medium low",
    "perpetrator_type": "police military paramilitary private_security company unknown",
}


def sentence(rng, language):
    text = rng.choice(SENTENCES[language].split("\n"))

    def draw(m):
        if m[1] == "n":
            return str(rng.choice((2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300)))
        if m[1] == "t":
            return f"{rng.randrange(24)}:{rng.choice(('00', '15', '30', '45'))}"
        return rng.choice(WORDS[language][m[1]])

    text = re.sub(r"\{(\w+)\}", draw, text)
    return text[0].upper() + text[1:]


def said(rng, most=3):
    language = rng.choice(("es", "es", "en", "en", "pt", "fr"))
    return " ".join(sentence(rng, language) for _ in range(rng.randint(1, most))), rng.choice(WORDS[language]["place"])


# Section 2, as far as it is needed here.
def put(value):
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if value < 128:
            return bytes([value])
        n = 1 if value < 256 else 2 if value < 65536 else 4 if value < 2**32 else 8
        return bytes([{1: 0xCC, 2: 0xCD, 4: 0xCE, 8: 0xCF}[n]]) + value.to_bytes(n, "big")
    if isinstance(value, bytes):
        return b"\xc4" + bytes([len(value)]) + value
    if isinstance(value, str):
        s = value.encode()
        n = len(s)
        return (bytes([0xA0 | n]) if n < 32 else b"\xd9" + bytes([n]) if n < 256 else b"\xda" + n.to_bytes(2, "big")) + s
    return bytes([0x90 | len(value)]) + b"".join(map(put, value))


def content(rng):
    text, place = said(rng)
    fields, kind = {"text": text}, rng.choice(("message", "message", "message", "observation", "observation", "alert", "event", "event", "ack"))
    if kind == "observation":
        fields |= rng.choice(({"place": place}, {"place": place, "people": str(rng.randrange(1, 90))}, {}))
    if kind == "alert":
        fields = {"headline": said(rng, 1)[0], "area": place, "description": text, "onset": 1700000000000 + rng.randrange(10**11)}
        if rng.random() < 0.5:
            fields |= {"instruction": said(rng, 1)[0], "expires": 1700000000000 + rng.randrange(10**11)}
        fields |= {f: rng.choice(CHOICES[f].split()) for f in ("status", "type", "urgency", "severity", "certainty", "category")}
    if kind == "event":
        fields = {"title": said(rng, 1)[0], "description": text, "place": place, "date": 1700000000000 + rng.randrange(10**11)}
        some = ("violation_status", "reliability", "monitoring_status", "priority", "perpetrator_type")
        fields |= {f: rng.choice(CHOICES[f].split()) for f in some if rng.random() < 0.6}
    if kind == "ack":
        fields = {"about": rng.randbytes(32), "stage": rng.choice(CHOICES["stage"].split())}
        if rng.random() < 0.4:
            fields["text"] = said(rng, 1)[0]
    return put([kind, [[name, fields[name]] for name in sorted(fields)]])


def main():
    rng = random.Random(NUMBER)
    if "--texts" in sys.argv:
        print("\n".join(said(rng)[0] for _ in range(SAMPLES)))
        return
    with tempfile.TemporaryDirectory() as top:
        names = []
        for i in range(SAMPLES):
            names.append(os.path.join(top, str(i)))
            with open(names[-1], "wb") as f:
                f.write(content(rng))
        made = os.path.join(top, "dictionary")
        subprocess.run(["zstd", "-q", "-T1", "--train", "-r", top, f"--maxdict={BYTES}", f"--dictID={NUMBER}", "-o", made], check=True)
        with open(made, "rb") as f:
            dictionary = f.read()
    with open("proto/pack_table.c", "w") as out:
        out.write(f"/* Dictionary {NUMBER}. Made by pack_table.py; never changed, as records are sealed with it. */\n")
        out.write('#include "pack_table.h"\n\n')
        out.write(f"const uint8_t vd_pack_dictionary_{NUMBER}[{len(dictionary)}] = {{\n")
        for i in range(0, len(dictionary), 24):
            out.write("\t" + ",".join(str(b) for b in dictionary[i : i + 24]) + ",\n")
        out.write(f"}};\nconst size_t vd_pack_dictionary_{NUMBER}_bytes = sizeof(vd_pack_dictionary_{NUMBER});\n")


main()
