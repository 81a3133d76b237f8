/* The words. English first, then Spanish; SAME marks what is the same in both on purpose.
 *
 * Tone: whoever reads this may be afraid, in a hurry and no technician. Say what happened, what it means for the records, and the
 * next step. No blame, no jargon that has a plain word. In Spanish: tú, and words people use in the field. */
#include "messages.h"

#define T(id, en, es) [VD_MSG_##id] = { { en, es }, false }
#define SAME(id, both) [VD_MSG_##id] = { { both, both }, true }

const struct vd_message vd_messages[VD_MSG_COUNT] = {
	SAME(NONE, ""),

	/* why something failed, and what to do */
	T(ERR_NOMEM, "this computer ran out of memory; nothing that was stored is lost",
	  "a este equipo se le acabó la memoria; no se perdió nada de lo guardado"),
	T(HINT_NOMEM, "Close other programs and try again.", "Cierra otros programas y prueba otra vez."),
	T(ERR_FORMAT, "its content is empty or not what it should be; nothing was changed",
	  "está vacío o no contiene lo que debería; no se cambió nada"),
	T(HINT_FORMAT, "Ask whoever gave it to you for a fresh copy.", "Pide una copia nueva a quien te lo dio."),
	T(ERR_CAP, "it is larger than vereda allows; nothing was changed", "es más grande de lo que vereda permite; no se cambió nada"),
	T(HINT_CAP, "Split it into smaller parts.", "Divídelo en partes más pequeñas."),
	T(ERR_SIGNATURE, "a signature does not hold: it was altered, or someone is posing as its author; it was not taken in",
	  "una firma no es válida: fue alterado, o alguien se hace pasar por su autor; no se aceptó"),
	T(HINT_SIGNATURE, "Do not trust this copy. Tell your coordinator, and ask for it by another route.",
	  "No confíes en esta copia. Avisa a tu coordinación y pídelo por otra vía."),
	T(ERR_GROUP, "it belongs to another group; nothing was changed", "es de otro grupo; no se cambió nada"),
	T(HINT_GROUP, "Check that you have the right file.", "Revisa que sea el archivo correcto."),
	T(ERR_AUTHOR, "this device may not do that in the group; nothing was changed",
	  "este equipo no tiene permiso para hacer eso en el grupo; no se cambió nada"),
	T(HINT_AUTHOR, "Ask a coordinator of the group to do it.", "Pide a alguien de la coordinación del grupo que lo haga."),
	T(ERR_KEY, "this device has no key for it: it was made for someone else, or it is damaged; nothing was changed",
	  "este equipo no tiene la llave: es para otra persona, o está dañado; no se cambió nada"),
	T(HINT_KEY, "Check that it was meant for this device.", "Revisa que sea para este equipo."),
	T(ERR_VERSION, "it was made by another version of vereda, which this one cannot read; nothing was changed or lost",
	  "lo hizo otra versión de vereda, que esta no puede leer; no se cambió ni se perdió nada"),
	T(HINT_VERSION, "Install the newest vereda on this device.", "Instala la versión más nueva de vereda en este equipo."),
	T(ERR_NOTFOUND, "there is no such thing here", "aquí no existe"),
	T(HINT_NOTFOUND, "Check the name and try again.", "Revisa el nombre y prueba otra vez."),
	T(ERR_EXISTS, "it is there already; nothing was changed", "ya existe; no se cambió nada"),
	T(HINT_EXISTS, "Choose another name.", "Elige otro nombre."),
	T(ERR_BUSY, "another program is using it right now; nothing was changed",
	  "otro programa lo está usando ahora; no se cambió nada"),
	T(HINT_BUSY, "Wait a moment and try again.", "Espera un momento y prueba otra vez."),
	T(ERR_CLOSED, "the other side did not answer or went away; what had arrived is stored",
	  "el otro lado no respondió o se fue; lo que ya llegó está guardado"),
	T(HINT_CLOSED, "Check the connection and run the same command again: it goes on where it was.",
	  "Revisa la conexión y repite la misma orden: sigue donde iba."),
	T(ERR_TORN, "the end of it is missing; everything whole in it was kept", "le falta el final; se guardó todo lo que estaba completo"),
	T(HINT_TORN, "Copy the whole file again and repeat the command: it adds what is missing.",
	  "Copia otra vez el archivo completo y repite la orden: agrega lo que falta."),
	T(ERR_DAMAGED, "some of its bytes have changed; everything whole in it was kept",
	  "algunos de sus datos cambiaron; se guardó todo lo que estaba completo"),
	T(HINT_DAMAGED, "Ask for a fresh copy. If it is the store of this device, run: vereda check",
	  "Pide una copia nueva. Si se trata del almacén de este equipo, ejecuta: vereda check"),
	T(ERR_NOSPACE, "there is no space left; everything that was stored before is safe",
	  "no queda espacio; todo lo que ya estaba guardado está a salvo"),
	T(HINT_NOSPACE, "Free some space, then run the same command again.", "Libera espacio y después repite la misma orden."),
	T(HINT_NOSPACE_HERE, "Free some space on this device's disk, then run the same command again. What it may let go of, as others keep it: vereda prune --dry-run",
	  "Libera espacio en el disco de este equipo y después repite la misma orden. Lo que puede soltar, porque otros lo guardan: vereda prune --dry-run"),
	T(ERR_IO, "the disk or stick failed, was taken away, or can only be read; everything that was stored before is safe",
	  "el disco o la memoria USB falló, la retiraron o solo se puede leer; todo lo que ya estaba guardado está a salvo"),
	T(HINT_IO, "Check that it is plugged in and not write-protected, then run the same command again.",
	  "Revisa que esté conectada y sin protección contra escritura, y repite la misma orden."),
	T(ERR_NOSTORE, "there is no store here yet", "aquí todavía no hay un almacén"),
	T(HINT_NOSTORE, "Make one with: vereda init   (or name another folder with --home)",
	  "Crea uno con: vereda init   (o indica otra carpeta con --home)"),
	T(ERR_INVAL, "that makes no sense here; nothing was changed", "eso no tiene sentido aquí; no se cambió nada"),
	T(HINT_INVAL, "Look at the examples: vereda help", "Mira los ejemplos: vereda help"),
	T(ERR_AMBIGUOUS, "several match; nothing was changed", "hay varias coincidencias; no se cambió nada"),
	T(HINT_AMBIGUOUS, "Give more of its first letters or digits.", "Escribe más letras o cifras del comienzo."),
	T(ERR_CRYPTO, "the cryptography library of this system fails vereda's self-test, so vereda will not use it; nothing was changed",
	  "la biblioteca de criptografía de este sistema no pasa la prueba de vereda, así que vereda no la usará; no se cambió nada"),
	T(HINT_CRYPTO, "Install libsodium 1.0.18 or newer from your distribution (Debian: apt install libsodium23).",
	  "Instala libsodium 1.0.18 o más nueva desde tu distribución (Debian: apt install libsodium23)."),
	T(ERR_DENIED, "the system does not permit it to the account {0} (permission); nothing was changed",
	  "el sistema no se lo permite a la cuenta {0} (permisos); no se cambió nada"),
	T(HINT_DENIED, "See whose it is and what it permits with: ls -ld   Run vereda with the account it belongs to, or name another place.",
	  "Mira de quién es y qué permite con: ls -ld   Ejecuta vereda con la cuenta de su dueño, o indica otro lugar."),
	T(ERR_SEALED, "it is sealed to others; this device cannot read it, and keeps it for them", "está sellado para otras personas; este equipo no puede leerlo y lo guarda para ellas"),
	T(HINT_SEALED, "Ask its author or one of those it is for.", "Pregunta a quien lo escribió o a quien va dirigido."),
	T(ERR_UNKNOWN, "it did not work, and vereda does not know why; nothing that was stored is lost",
	  "no funcionó, y vereda no sabe por qué; no se perdió nada de lo guardado"),
	T(HINT_UNKNOWN, "Try again. If it happens again, run: vereda check", "Prueba otra vez. Si vuelve a pasar, ejecuta: vereda check"),

	/* usage */
	T(HINT_HELP, "See what there is with: vereda help", "Mira lo que hay con: vereda help"),
	T(HINT_HELP_COMMAND, "See examples with: vereda {0} --help", "Mira ejemplos con: vereda {0} --help"),
	T(UNKNOWN_COMMAND, "There is no command \"{0}\"", "No existe la orden \"{0}\""),
	T(DID_YOU_MEAN, "Did you mean: {1}", "¿Quisiste decir: {1}?"),
	T(UNKNOWN_OPTION, "There is no option {1}", "No existe la opción {1}"),
	T(OPTION_NEEDS_VALUE, "The option {1} needs a value behind it", "A la opción {1} le falta su valor"),
	T(OPTION_TAKES_NO_VALUE, "The option {1} takes no value", "La opción {1} no lleva valor"),
	T(OPTION_NOT_HERE, "The option {1} does not belong to this command", "La opción {1} no es de esta orden"),
	T(ARGUMENT_MISSING, "\"vereda {0}\" needs more than that", "A \"vereda {0}\" le falta algo"),
	T(ARGUMENT_EXTRA, "\"vereda {0}\" does not know what to do with \"{1}\"", "\"vereda {0}\" no sabe qué hacer con \"{1}\""),
	T(BAD_LANG, "There is no language \"{0}\"; there are es, pt, fr and en", "No existe el idioma \"{0}\"; hay es, pt, fr y en"),
	T(NOT_IN_VERSION, "{0} is not in this version yet; nothing was changed", "{0} todavía no está en esta versión; no se cambió nada"),
	T(HINT_NOT_IN_VERSION, "Run the command without it. What this version can do: vereda help", "Repite la orden sin eso. Lo que puede esta versión: vereda help"),
	T(BAD_TIME, "\"{0}\" is no time", "\"{0}\" no es una fecha ni una hora"),
	T(HINT_TIME, "Write 7d or 2h, 2026-03-01, 18:00, or 2026-03-01T18:00:00Z.",
	  "Escribe 7d o 2h, 2026-03-01, 18:00, o 2026-03-01T18:00:00Z."),
	T(BAD_NUMBER, "\"{1}\" is no number above zero", "\"{1}\" no es un número mayor que cero"),
	T(BAD_NAME, "\"{0}\" cannot be a name", "\"{0}\" no sirve como nombre"),
	T(HINT_NAME, "A name has 1 to 64 letters, digits or blanks; one with an accent counts as two, one of another script as two to four. It need not be anyone's real name.",
	  "Un nombre tiene de 1 a 64 letras, cifras o espacios; una letra con tilde cuenta por dos, y una de otro alfabeto por dos a cuatro. No tiene que ser el nombre real de nadie."),
	T(BAD_ID, "\"{0}\" is no record's id", "\"{0}\" no es el identificador de un registro"),
	T(HINT_ID, "Copy at least 6 digits of the id from: vereda list", "Copia al menos 6 cifras del identificador desde: vereda list"),
	T(NO_HOME, "vereda cannot tell where your home folder is", "vereda no puede saber cuál es tu carpeta personal"),
	T(NOT_A_FILE, "{0} is there and is no ordinary file, so nothing is written to it; nothing was changed",
	  "{0} existe y no es un archivo común, así que no se escribe ahí; no se cambió nada"),
	T(HINT_NOT_A_FILE, "Name a file of your own; for a pipe, use - with export.", "Nombra un archivo tuyo; para una tubería, usa - con export."),
	T(NO_FILE_NAME, "The name of a file is wanted, and this one is empty; nothing was changed",
	  "Se necesita el nombre de un archivo, y este está vacío; no se cambió nada"),
	T(HINT_NO_FILE_NAME, "Write the name out. In a script: the variable that should hold it holds nothing.",
	  "Escribe el nombre. En un script: la variable que debería tenerlo no tiene nada."),
	T(PIPE_IN, "what came through the pipe", "lo que llegó por la tubería"),
	T(PIPE_OUT, "what went through the pipe", "lo que salió por la tubería"),
	T(IS_FOLDER, "{0} is a folder, and a file is wanted; nothing was changed",
	  "{0} es una carpeta, y se necesita un archivo; no se cambió nada"),
	T(HINT_IS_FOLDER, "Name the file in it. For a USB stick: vereda sync {0}",
	  "Nombra el archivo que está adentro. Para una memoria USB: vereda sync {0}"),
	T(WRITE_FAILED, "The output could not be written to its end", "No se pudo escribir toda la salida"),
	T(HINT_DONE_UNSAID, "Do not run it again: it was done. See it with: vereda list, vereda group list",
	  "No lo repitas: ya está hecho. Míralo con: vereda list, vereda group list"),
	SAME(ERROR, "vereda: "),
	SAME(HINT, "\n  "),

	/* whole program */
	T(PROGRAM,
	  "vereda: records that your group shares, signed and sealed, with or without a network.\n\n"
	  "Examples:\n"
	  "  vereda init --name hub                    make a store on this device\n"
	  "  vereda group create Lindero               found a group, as its first coordinator\n"
	  "  vereda add message -m \"All well here\"     write something\n"
	  "  vereda list                               read what came\n"
	  "  vereda sync /media/usb                    exchange with a USB stick\n\n"
	  "Commands:",
	  "vereda: registros que tu grupo comparte, firmados y sellados, con red o sin ella.\n\n"
	  "Ejemplos:\n"
	  "  vereda init --name centro                 crear un almacén en este equipo\n"
	  "  vereda group create Lindero               fundar un grupo y ser su primera coordinación\n"
	  "  vereda add message -m \"Aquí todo bien\"    escribir algo\n"
	  "  vereda list                               leer lo que llegó\n"
	  "  vereda sync /media/usb                    intercambiar con una memoria USB\n\n"
	  "Órdenes:"),
	SAME(PROGRAM_COMMANDS, "  {0} {1}"),
	T(PROGRAM_OPTIONS,
	  "\nEach has examples: vereda COMMAND --help\n\n"
	  "Options of every command:\n"
	  "  --home DIR           the store's folder (else $VEREDA_HOME, else ~/.local/share/vereda)\n"
	  "  --group NAME|ID      which group, when this device is in more than one\n"
	  "  --json               results for programs, a line each; errors as JSON too\n"
	  "  --lang es|pt|fr|en   language (pt reads Spanish and fr reads English until they have their own)\n"
	  "  --passphrase-file FILE   the store's passphrase: the only line of a file (for programs: --passphrase-fd N)\n"
	  "  --quiet, -v, --no-color, --yes, --no-input, --help, --version",
	  "\nCada una tiene ejemplos: vereda ORDEN --help\n\n"
	  "Opciones de todas las órdenes:\n"
	  "  --home CARPETA       la carpeta del almacén (si no, $VEREDA_HOME o ~/.local/share/vereda)\n"
	  "  --group NOMBRE|ID    qué grupo, cuando este equipo está en más de uno\n"
	  "  --json               resultados para programas, uno por línea; los errores también en JSON\n"
	  "  --lang es|pt|fr|en   idioma (pt sale en español y fr en inglés hasta que tengan el suyo)\n"
	  "  --passphrase-file ARCHIVO   la contraseña del almacén: la única línea de un archivo (para programas: --passphrase-fd N)\n"
	  "  --quiet, -v, --no-color, --yes, --no-input, --help, --version"),
	T(START_NO_STORE,
	  "There is no store on this device yet (looked in {0}).\n"
	  "Next step: vereda init --name NAME      then found a group or join one.",
	  "En este equipo todavía no hay un almacén (se buscó en {0}).\n"
	  "Siguiente paso: vereda init --name NOMBRE      después funda un grupo o únete a uno."),
	T(START_NO_GROUP,
	  "The store is ready, but this device is in no group yet.\n"
	  "Next step, to join one:   vereda id                  show the line it prints to a coordinator\n"
	  "           to found one:  vereda group create NAME",
	  "El almacén está listo, pero este equipo todavía no está en ningún grupo.\n"
	  "Siguiente paso, para unirte:    vereda id                    muestra a la coordinación la línea que imprime\n"
	  "                para fundar:    vereda group create NOMBRE"),
	T(START_GROUP, "{0}: you are {1}; members: {2}; records: {3}", "{0}: tienes el papel de {1}; integrantes: {2}; registros: {3}"),
	T(START_NEXT, "Next step: vereda list --new      what came since you last looked      (all commands: vereda help)",
	  "Siguiente paso: vereda list --new      lo que llegó desde la última vez      (todas las órdenes: vereda help)"),

	/* commands */
	T(SUM_INIT, "make an empty store on this device", "crear un almacén vacío en este equipo"),
	T(HELP_INIT,
	  "Examples:\n"
	  "  vereda init --name hub\n"
	  "  vereda init --name field --no-passphrase --home /path/to/store\n  vereda init --passphrase-file FILE\n\n"
	  "Makes an empty store. A second time fails and changes nothing.\n\n"
	  "  --name NAME        a name for this device; only your group will see it\n"
	  "  --no-passphrase    you know that the store is readable by whoever holds the disk",
	  "Ejemplos:\n"
	  "  vereda init --name centro\n"
	  "  vereda init --name campo --no-passphrase --home /ruta/del/almacen\n\n"
	  "Crea un almacén vacío. La segunda vez falla y no cambia nada.\n\n"
	  "  --name NOMBRE      un nombre para este equipo; solo lo verá tu grupo\n"
	  "  --no-passphrase    sabes que quien tenga el disco puede leer el almacén"),
	T(SUM_ID, "print what a coordinator needs to admit this device", "mostrar lo que la coordinación necesita para admitir este equipo"),
	T(HELP_ID,
	  "Examples:\n"
	  "  vereda id\n"
	  "  vereda id > card.txt\n"
	  "  vereda id --qr\n\n"
	  "Prints this device's next identity: one line without secrets. Hand it to a coordinator in person; mistyped letters are noticed.\n"
	  "It stays the same until a group has taken it, and every group gets one of its own.",
	  "Ejemplos:\n"
	  "  vereda id\n"
	  "  vereda id > tarjeta.txt\n"
	  "  vereda id --qr\n\n"
	  "Imprime la próxima identidad de este equipo: una línea sin secretos. Entrégala en persona a la coordinación; si se copia mal, se nota.\n"
	  "Es la misma hasta que un grupo la use, y cada grupo recibe una distinta."),
	T(SUM_GROUP, "found a group; list them; new keys; paper key", "fundar un grupo; verlos; llaves nuevas; llave en papel"),
	T(HELP_GROUP,
	  "Examples:\n"
	  "  vereda group create Lindero --name Ana\n"
	  "  vereda group list\n"
	  "  vereda group rotate\n"
	  "  vereda group paper\n"
	  "  vereda group recover /media/usb\n\n"
	  "create   makes this device the first coordinator of a new group. --name is how the group sees you (else this device's name).\n"
	  "list     the groups of this device.\n"
	  "rotate   makes new keys for everyone who is in the group now. What was written before stays readable to who could read it.\n"
	  "paper    makes a paper key: twelve words that are a coordinator, for the day when your devices are lost. They are shown once.\n"
	  "recover  on a new device: takes the group from a bundle or a stick that was made after the paper key, and makes this device a\n"
	  "         coordinator of the same person. It asks for the twelve words; without a terminal it reads them from standard input.\n\n"
	  "  --name NAME          create, recover: how the group sees you\n"
	  "  --words-file FILE    recover: the twelve words stand in this file; destroy it afterwards\n"
	  "  --yes                paper: also where the output is no terminal",
	  "Ejemplos:\n"
	  "  vereda group create Lindero --name Ana\n"
	  "  vereda group list\n"
	  "  vereda group rotate\n"
	  "  vereda group paper\n"
	  "  vereda group recover /media/usb\n\n"
	  "create   hace de este equipo la primera coordinación de un grupo nuevo. --name es como te ve el grupo (si no, el nombre del equipo).\n"
	  "list     los grupos de este equipo.\n"
	  "rotate   hace llaves nuevas para quienes están ahora en el grupo. Lo escrito antes lo sigue leyendo quien ya podía leerlo.\n"
	  "paper    hace una llave en papel: doce palabras que son coordinación, para el día en que se pierdan tus equipos. Se muestran una vez.\n"
	  "recover  en un equipo nuevo: toma el grupo de un archivo o una memoria USB hechos después de la llave en papel, y hace de este\n"
	  "         equipo coordinación de la misma persona. Pide las doce palabras; sin terminal las lee de la entrada estándar.\n\n"
	  "  --name NOMBRE        create, recover: como te ve el grupo\n"
	  "  --words-file ARCHIVO recover: las doce palabras están en este archivo; destrúyelo después\n"
	  "  --yes                paper: también cuando la salida no es una terminal"),
	T(SUM_ADMIT, "let a device into the group", "admitir un equipo en el grupo"),
	T(HELP_ADMIT,
	  "Examples:\n"
	  "  vereda admit vereda1abc… --name Rosa -o rosa.welcome\n"
	  "  vereda admit \"$(cat card.txt)\" --name Luis --role coordinator --focal -o luis.welcome\n"
	  "  vereda admit \"$(cat phone.txt)\" --person Rosa -o rosa2.welcome\n"
	  "  vereda admit Rosa --role coordinator\n"
	  "  vereda admit 3fa2c1 --focal\n\n"
	  "Writes a welcome that only that device can open. Hand it over, run join there, and compare the six words aloud: if they differ, someone\n"
	  "is in between. Admitting the same device again writes its welcome anew. For somebody who is in, name the member or the key of one device:\n"
	  "another name, more of a role or --focal are added, and reach them by sync; no file is needed. To take something away: vereda revoke.\n\n"
	  "  --name NAME       how the group sees the newcomer\n"
	  "  --person NAME     another device of that member; name and role are theirs unless said\n"
	  "  --role ROLE       what they may do (member unless said):\n"
	  "                    member       reads and writes everything that is for members\n"
	  "                    coordinator  also admits, removes and makes keys\n"
	  "                    reporter     writes for the focal points alone; reads what is for everyone\n"
	  "                    courier      keeps and passes on everything, and can read none of it\n"
	  "  --focal           mark them as a focal point: who reads what reporters write (every coordinator, while none is marked)\n"
	  "  -o FILE           where the welcome goes\n"
	  "  --yes             with a name that a member has already: another device of that member",
	  "Ejemplos:\n"
	  "  vereda admit vereda1abc… --name Rosa -o rosa.bienvenida\n"
	  "  vereda admit \"$(cat tarjeta.txt)\" --name Luis --role coordinator --focal -o luis.bienvenida\n"
	  "  vereda admit \"$(cat celular.txt)\" --person Rosa -o rosa2.bienvenida\n"
	  "  vereda admit Rosa --role coordinator\n"
	  "  vereda admit 3fa2c1 --focal\n\n"
	  "Escribe una bienvenida que solo ese equipo puede abrir. Entrégala, ejecuta join allá, y comparen las seis palabras en voz alta: si no\n"
	  "coinciden, hay alguien en medio. Admitir otra vez el mismo equipo vuelve a escribir su bienvenida. A quien ya está se le nombra, o a uno\n"
	  "de sus equipos por la llave: otro nombre, un papel mayor o --focal se agregan y le llegan por intercambio, sin archivo. Para quitar algo:\n"
	  "vereda revoke.\n\n"
	  "  --name NOMBRE     como verá el grupo a quien entra\n"
	  "  --person NOMBRE   es otro equipo de esa persona; nombre y papel son los suyos si no se dicen otros\n"
	  "  --role PAPEL      qué puede hacer (member si no se dice):\n"
	  "                    member       lee y escribe todo lo que es para integrantes\n"
	  "                    coordinator  además admite, retira y hace llaves\n"
	  "                    reporter     escribe solo para los puntos focales; lee lo que es para todos\n"
	  "                    courier      guarda y lleva todo, y no puede leer nada\n"
	  "  --focal           marcarlo como punto focal: quien lee lo de los reportantes (toda la coordinación, si no hay ninguno marcado)\n"
	  "  -o ARCHIVO        dónde se guarda la bienvenida\n"
	  "  --yes             con un nombre que alguien ya tiene: es otro equipo de esa persona"),
	T(SUM_JOIN, "take a welcome and be in the group", "recibir una bienvenida y entrar al grupo"),
	T(HELP_JOIN,
	  "Examples:\n"
	  "  vereda join rosa.welcome\n\n"
	  "Takes the welcome that a coordinator made for this device. Compare the six words it prints with the coordinator's, aloud.",
	  "Ejemplos:\n"
	  "  vereda join rosa.bienvenida\n\n"
	  "Recibe la bienvenida que la coordinación hizo para este equipo. Compara en voz alta las seis palabras con las de la coordinación."),
	T(SUM_MEMBERS, "who is in the group", "quiénes están en el grupo"),
	T(HELP_MEMBERS,
	  "Examples:\n"
	  "  vereda members\n"
	  "  vereda members --all\n"
	  "  vereda members --json\n\n"
	  "Who is in, with what role and devices, since when, when they were last heard, and who has not heard the last change of membership.\n\n"
	  "  --all                also who was removed",
	  "Ejemplos:\n"
	  "  vereda members\n"
	  "  vereda members --all\n"
	  "  vereda members --json\n\n"
	  "Quiénes están, con qué papel y equipos, desde cuándo, cuándo se supo de ellos por última vez, y quién no sabe del último cambio.\n\n"
	  "  --all                también quienes fueron retirados"),
	T(SUM_ADD, "write a record of any kind", "escribir un registro de cualquier clase"),
	T(HELP_ADD,
	  "Examples:\n"
	  "  vereda add message -m \"We arrived\"\n"
	  "  vereda add event title=\"Threat by telephone\" date=2026-03-01 place=\"Vereda El Roble\" -m \"They called twice\"\n"
	  "  vereda add message --about 3fa2c1 -m \"It was seen here too\"\n"
	  "  vereda add message --to Rosa --keep -m \"Only you should know this\"\n"
	  "  vereda add document title=\"The bridge\" --attach bridge.jpg --attach notes.txt\n"
	  "  cat statement.txt | vereda add observation -m -\n\n"
	  "Signs and stores one record. Kinds: alert, ack, event, message, observation, document; any other name is carried as it stands.\n"
	  "A redaction, which hides another record, is written by redact alone.\n\n"
	  "  FIELD=VALUE        a field; several values of a list are joined by |\n"
	  "  -m TEXT            the kind's main text; - reads it from standard input\n"
	  "  --about ID         the record this one is about\n"
	  "  --replaces ID      the record this one corrects; may be said again\n"
	  "  --attach FILE      brings a file along; may be said again, up to 16 files and 64 MiB together. Place, time, camera and comments are\n"
	  "                     taken out of JPEG and PNG; of other kinds you are warned. The parts travel after everything else\n"
	  "  --keep-metadata    attach pictures as they are, as when place and time are the evidence\n"
	  "  --expires 7d       until when it is needed (whole days); a week later its content is erased on every device\n"
	  "  --to WHOM          everyone (all but couriers), members (not reporters either; this is what stands if nothing is said), or a member's\n"
	  "                     name: only that person's devices. Names may be said again, up to 16 devices together. What a reporter writes\n"
	  "                     goes to the focal points\n"
	  "  --keep             with names, or as a reporter: keep a copy that your own devices can read. Without it not even you can",
	  "Ejemplos:\n"
	  "  vereda add message -m \"Ya llegamos\"\n"
	  "  vereda add event title=\"Amenaza por teléfono\" date=2026-03-01 place=\"Vereda El Roble\" -m \"Llamaron dos veces\"\n"
	  "  vereda add message --about 3fa2c1 -m \"Aquí también se vio\"\n"
	  "  vereda add message --to Rosa --keep -m \"Esto solo lo debes saber tú\"\n"
	  "  vereda add document title=\"El puente\" --attach puente.jpg --attach notas.txt\n"
	  "  cat testimonio.txt | vereda add observation -m -\n\n"
	  "Firma y guarda un registro. Clases: alert, ack, event, message, observation, document; cualquier otro nombre se lleva tal cual.\n"
	  "Una ocultación (redaction), que esconde otro registro, solo se escribe con redact.\n\n"
	  "  CAMPO=VALOR        un campo, por su nombre en inglés (title, date); los valores de una lista se unen con |\n"
	  "  -m TEXTO           el texto principal de esa clase; - lo lee de la entrada estándar\n"
	  "  --about ID         el registro del que trata\n"
	  "  --replaces ID      el registro que corrige; se puede repetir\n"
	  "  --attach ARCHIVO   lleva un archivo; se puede repetir, hasta 16 archivos y 64 MiB en total. De JPEG y PNG se quitan lugar, hora, cámara\n"
	  "                     y comentarios; de otros tipos se avisa. Las partes viajan después de todo lo demás\n"
	  "  --keep-metadata    adjuntar las imágenes tal cual, por ejemplo cuando lugar y hora son la prueba\n"
	  "  --expires 7d       hasta cuándo hace falta (días enteros); una semana después se borra su contenido en todos los equipos\n"
	  "  --to QUIÉN         everyone (todos menos mensajeros), members (tampoco reportantes; es lo que vale si no se dice nada), o el nombre\n"
	  "                     de alguien: solo los equipos de esa persona. Se pueden repetir nombres, hasta 16 equipos en total. Lo que\n"
	  "                     escribe un reportante va a los puntos focales\n"
	  "  --keep             con nombres, o si eres reportante: guardar una copia que tus equipos puedan leer. Si no, ni tú la puedes leer"),
	T(SUM_ALERT, "raise an alert: it goes before everything else", "lanzar una alerta: pasa antes que todo lo demás"),
	T(HELP_ALERT,
	  "Examples:\n"
	  "  vereda alert \"Armed men on the road to the school\" --severity severe\n"
	  "  vereda alert \"Exercise: meeting point\" status=exercise area=\"El Roble\" --expires 2d\n\n"
	  "Signs and stores an alert. Fields as in add: urgency, certainty, category, area, description, instruction, onset.\n\n"
	  "  --severity extreme|severe|moderate|minor|unknown\n"
	  "  --attach FILE, --keep-metadata       files it brings along, as in add; the alert does not wait for them\n"
	  "  --to everyone|members|NAME, --keep   who can read it, as in add",
	  "Ejemplos:\n"
	  "  vereda alert \"Hombres armados en el camino a la escuela\" --severity severe\n"
	  "  vereda alert \"Simulacro: punto de encuentro\" status=exercise area=\"El Roble\" --expires 2d\n\n"
	  "Firma y guarda una alerta. Campos como en add: urgency, certainty, category, area, description, instruction, onset.\n\n"
	  "  --severity extreme|severe|moderate|minor|unknown\n"
	  "  --attach ARCHIVO, --keep-metadata      archivos que lleva, como en add; la alerta no los espera\n"
	  "  --to everyone|members|NOMBRE, --keep   quién puede leerlo, como en add"),
	T(SUM_ACK, "answer an alert: seen, acting, resolved", "responder a una alerta: vista, en curso, resuelta"),
	T(HELP_ACK,
	  "Examples:\n"
	  "  vereda ack 3fa2c1\n"
	  "  vereda ack 3fa2c1 --stage acting -m \"On our way\"\n\n"
	  "Tells the group how you answer an alert or event.\n\n"
	  "  --stage received|seen|accepted|acting|resolved|declined    (seen unless said)\n"
	  "  --to everyone|members|NAME, --keep   who can read it, as in add",
	  "Ejemplos:\n"
	  "  vereda ack 3fa2c1\n"
	  "  vereda ack 3fa2c1 --stage acting -m \"Vamos en camino\"\n\n"
	  "Le dice al grupo cómo respondes a una alerta o a un hecho.\n\n"
	  "  --stage received|seen|accepted|acting|resolved|declined    (seen si no se dice)\n"
	  "  --to everyone|members|NOMBRE, --keep   quién puede leerlo, como en add"),
	T(SUM_LOAD, "store a table, a record a row", "guardar una tabla, un registro por fila"),
	T(HELP_LOAD,
	  "Examples:\n"
	  "  vereda load message messages.csv --map text=text\n"
	  "  vereda load observation form.ndjson --dry-run\n"
	  "  cat rows.csv | vereda load event -\n\n"
	  "Stores one record for each row of a CSV (RFC 4180, with a header) or NDJSON file. Values are stored as they stand, blank ones too.\n"
	  "A bad row is named by its number and the others are stored; as in a spreadsheet, the header of a CSV is row 1. After an interruption\n"
	  "the same command goes on where it was. Of a file that was loaded before, and to which rows were added at its end, only those are new.\n"
	  "Bad rows may be corrected where they stand: the next load of that file stores them alone, if no other file of those columns with\n"
	  "bad rows was loaded in between. A file in which anything else was changed is another file to vereda: all of its rows are stored.\n"
	  "A last line without line end counts as it stands; what is added to it later makes another row of it.\n\n"
	  "  --map FIELD=COLUMN   only the columns named so; without it, all of them under their own names\n"
	  "  --dry-run            only look; store nothing\n"
	  "  --again              store all rows, also those stored before; repeated after an interruption, it goes on\n"
	  "  --to everyone|members|NAME, --keep   who can read it, as in add. For other readers it is another load",
	  "Ejemplos:\n"
	  "  vereda load message mensajes.csv --map text=texto\n"
	  "  vereda load observation formulario.ndjson --dry-run\n"
	  "  cat filas.csv | vereda load event -\n\n"
	  "Guarda un registro por cada fila de un archivo CSV (RFC 4180, con encabezado) o NDJSON. Los valores se guardan tal cual, también los\n"
	  "vacíos. Las filas malas se nombran por su número y las demás se guardan; como en una hoja de cálculo, el encabezado de un CSV es la\n"
	  "fila 1. Después de una interrupción la misma orden sigue donde iba. De un archivo ya cargado al que se agregaron filas al final, solo\n"
	  "esas son nuevas. Las filas malas se pueden corregir en su lugar: la próxima carga de ese archivo guarda solo esas, si entretanto no\n"
	  "se cargó otro archivo de las mismas columnas con filas malas. Un archivo en el que cambió cualquier otra cosa es otro archivo para\n"
	  "vereda: se guardan todas sus filas. Una última línea sin fin de línea cuenta tal cual; lo que se le agregue después la hace\n"
	  "otra fila.\n\n"
	  "  --map CAMPO=COLUMNA  solo las columnas nombradas así; sin esto, todas con su propio nombre\n"
	  "  --dry-run            solo mirar; no guardar nada\n"
	  "  --again              guardar todas las filas, también las ya guardadas; si se interrumpió, repetirla sigue donde iba\n"
	  "  --to everyone|members|NOMBRE, --keep   quién puede leerlo, como en add. Para otros lectores es otra carga"),
	T(SUM_LIST, "what there is, newest last", "lo que hay, lo más nuevo al final"),
	T(HELP_LIST,
	  "Examples:\n"
	  "  vereda list\n"
	  "  vereda list --new\n"
	  "  vereda list alert --since 7d\n"
	  "  vereda list --author Rosa --search bridge --limit 20\n"
	  "  vereda list --quarantined\n\n"
	  "  KIND                 only of that kind\n"
	  "  --new                since you last looked\n"
	  "  --since T, --until T 7d (that long ago), 2026-03-01, 18:00 (the last one), or RFC 3339\n"
	  "  --author MEMBER      a name or the first digits of a key\n"
	  "  --about ID           only what is about that record\n"
	  "  --search TEXT        only what contains it\n"
	  "  --limit N            only the newest N\n"
	  "  --quarantined        only what removed members wrote and no coordinator accepted. Accept it with: vereda review ID --accept",
	  "Ejemplos:\n"
	  "  vereda list\n"
	  "  vereda list --new\n"
	  "  vereda list alert --since 7d\n"
	  "  vereda list --author Rosa --search puente --limit 20\n"
	  "  vereda list --quarantined\n\n"
	  "  CLASE                solo de esa clase\n"
	  "  --new                desde la última vez que miraste\n"
	  "  --since T, --until T 7d (hace tanto), 2026-03-01, 18:00 (la última), o RFC 3339\n"
	  "  --author INTEGRANTE  un nombre o las primeras cifras de una llave\n"
	  "  --about ID           solo lo que trata de ese registro\n"
	  "  --search TEXTO       solo lo que lo contiene\n"
	  "  --limit N            solo los N más nuevos\n"
	  "  --quarantined        solo lo que escribieron personas retiradas y la coordinación no aceptó. Se acepta con: vereda review ID --accept"),
	T(SUM_SHOW, "one record whole, with its history and answers", "un registro completo, con su historia y sus respuestas"),
	T(HELP_SHOW,
	  "Examples:\n"
	  "  vereda show 3fa2c1\n\n"
	  "Shows a record with all its fields, what it replaces or was replaced by, and what was said about it. Of one that is hidden or in\n"
	  "quarantine it says by whom and since when; what a hidden one says is not shown.",
	  "Ejemplos:\n"
	  "  vereda show 3fa2c1\n\n"
	  "Muestra un registro con todos sus campos, lo que reemplaza o lo reemplazó, y lo que se dijo sobre él. De uno oculto o en\n"
	  "cuarentena dice por quién y desde cuándo; lo que dice uno oculto no se muestra."),
	T(SUM_GET, "write a record's attachments to files, as far as they have come", "guardar en archivos los adjuntos de un registro, lo que haya llegado"),
	T(HELP_GET,
	  "Examples:\n"
	  "  vereda get 3fa2c1\n"
	  "  vereda get 3fa2c1 -o ~/evidence\n\n"
	  "Writes every attachment that has come whole and is what the record says, byte by byte (b2sum -l 256 gives the hash that show --json\n"
	  "tells). No file that is there already is written over: the next gets a number. What is missing comes with the next sync, from\n"
	  "whoever has it, as far as bulk.max lets it (vereda help config); exit 3 says that something is missing, 14 that something is not what the record says.\n\n"
	  "  -o DIR             the folder to write to, made if it is not there; else the one you are in",
	  "Ejemplos:\n"
	  "  vereda get 3fa2c1\n"
	  "  vereda get 3fa2c1 -o ~/evidencia\n\n"
	  "Guarda cada adjunto que llegó entero y es lo que dice el registro, byte por byte (b2sum -l 256 da el hash que muestra show --json).\n"
	  "Nunca escribe encima de un archivo que ya existe: el siguiente lleva un número. Lo que falta llega con la próxima sincronización, de\n"
	  "quien lo tenga, hasta donde lo permite bulk.max (vereda help config); la salida 3 dice que falta algo, la 14 que algo no es lo que dice el registro.\n\n"
	  "  -o CARPETA         dónde guardar, se crea si no existe; sin ella, en la carpeta en la que estás"),
	T(SUM_PRUNE, "make room: let go of what enough others keep", "liberar espacio: soltar lo que bastantes otros guardan"),
	T(HELP_PRUNE,
	  "Examples:\n"
	  "  vereda prune --dry-run\n"
	  "  vereda prune --lane bulk --older 90d\n"
	  "  vereda prune --max 2G --yes\n\n"
	  "Lets go of texts and files that others wrote. That a record was there stays known, and its content comes back by itself when too few\n"
	  "keep it any more. A content goes only if two other members are known to hold it and have promised to keep it for twelve days and more, and\n"
	  "if the last promise of this device was over twelve days ago. Each receipt promises 30 days anew, where the disk has room: so 42 days\n"
	  "before this device is to let go of anything, tell it to promise nothing more: vereda config set promise 0\n"
	  "What this device wrote always stays. Room that is made is used for what comes next; the file does not get smaller. On a nearly full\n"
	  "disk veredad does the same unasked, with files and texts that are older than 30 days.\n\n"
	  "  --older 90d        only what was written, and came, so long ago; 30d unless said\n"
	  "  --lane LANE        only bulk (attachments), normal or urgent; may be said again. Attachments go first\n"
	  "  --max 2G           until so much is let go of\n"
	  "  --dry-run          only say what would go",
	  "Ejemplos:\n"
	  "  vereda prune --dry-run\n"
	  "  vereda prune --lane bulk --older 90d\n"
	  "  vereda prune --max 2G --yes\n\n"
	  "Suelta textos y archivos que escribieron otros. Que el registro existió se sigue sabiendo, y su contenido vuelve por sí solo cuando lo\n"
	  "guarden demasiado pocos. Un contenido se suelta solo si se sabe que otros dos integrantes lo tienen y prometieron guardarlo doce\n"
	  "días o más, y si la última promesa de este equipo terminó hace doce días. Cada acuse promete otra vez 30 días, donde el disco tiene\n"
	  "espacio: así que 42 días antes de que este equipo deba soltar algo, dile que no prometa nada más: vereda config set promise 0\n"
	  "Lo que escribió este equipo siempre queda. El espacio se usa para lo que venga; el archivo no se achica. En un disco casi lleno veredad\n"
	  "hace lo mismo sin que se lo pidan, con archivos y textos de más de 30 días.\n\n"
	  "  --older 90d        solo lo que se escribió, y llegó, hace tanto; 30d si no se dice\n"
	  "  --lane CARRIL      solo bulk (adjuntos), normal o urgent; se puede repetir. Primero van los adjuntos\n"
	  "  --max 2G           hasta soltar esa cantidad\n"
	  "  --dry-run          solo decir qué se soltaría"),
	T(SUM_WATCH, "show new records as they come", "mostrar los registros nuevos a medida que llegan"),
	T(HELP_WATCH,
	  "Examples:\n"
	  "  vereda watch\n"
	  "  vereda watch alert --json\n\n"
	  "Prints each new record until you press Ctrl-C.",
	  "Ejemplos:\n"
	  "  vereda watch\n"
	  "  vereda watch alert --json\n\n"
	  "Imprime cada registro nuevo hasta que pulses Ctrl-C."),
	T(SUM_SYNC, "exchange once, with a stick or another device", "intercambiar una vez, con una memoria USB u otro equipo"),
	T(HELP_SYNC,
	  "Examples:\n"
	  "  vereda sync /media/usb\n"
	  "  vereda sync /media/usb --max 500M\n"
	  "  vereda sync 192.168.1.20:17767\n"
	  "  vereda sync ssh://rosa@hub\n"
	  "  vereda sync --check /media/usb\n\n"
	  "With a folder, such as a USB stick: takes what is new on it and adds what it lacks. Wait for \"safe to remove\".\n"
	  "Where not all finds room, or --max (320K at least) would be exceeded by what vereda keeps on it, what every device is known to have makes room for news;\n"
	  "then the most urgent goes first, and you are told what stayed here.\n"
	  "While the store is locked it asks for the passphrase; with none (Enter alone, --no-input, or nobody at a terminal) sealed files are only carried on.\n"
	  "With HOST:PORT: both ends have the same afterwards. Add -v for what it cost. There veredad must run on a port you know, such as\n"
	  "veredad --listen 0.0.0.0:17767; without --listen it takes any free one, which vereda status on that device shows.\n"
	  "With ssh://[USER@]HOST[:PORT]: the same, without veredad. ssh gets there as it is set up to (~/.ssh/config) and runs vereda there.\n\n"
	  "  --check              writes nothing and says whether the stick may be wiped: whether all on it is confirmed on some other device\n"
	  "                       (ends with 3 if not)\n"
	  "  --stdio              this is one end of a pipe, standard input and output; what is there to say goes to standard error. Over Tor,\n"
	  "                       where an onion service leads to port 17768 of this machine:\n"
	  "                       socat TCP-LISTEN:17768,bind=127.0.0.1,fork EXEC:'vereda sync --stdio'\n"
	  "                       and on the other device, with ADDRESS.onion:\n"
	  "                       socat EXEC:'vereda sync --stdio' SOCKS4A:127.0.0.1:ADDRESS.onion:17768,socksport=9050",
	  "Ejemplos:\n"
	  "  vereda sync /media/usb\n"
	  "  vereda sync /media/usb --max 500M\n"
	  "  vereda sync 192.168.1.20:17767\n"
	  "  vereda sync ssh://rosa@central\n"
	  "  vereda sync --check /media/usb\n\n"
	  "Con una carpeta, como una memoria USB: toma lo nuevo y agrega lo que le falta. Espera a que diga que se puede retirar.\n"
	  "Si no cabe todo, o lo que vereda guarda ahí pasaría de --max (320K o más), lo que se sabe que ya tienen todos los equipos deja sitio a lo nuevo;\n"
	  "después lo más urgente va primero, y se te dice qué se quedó aquí.\n"
	  "Si el almacén está cerrado pide la contraseña; sin ella (solo Enter, --no-input, o nadie en la terminal) los archivos sellados solo se llevan.\n"
	  "Con EQUIPO:PUERTO: al final los dos lados tienen lo mismo. Agrega -v para ver lo que costó. Allá debe correr veredad en un puerto\n"
	  "conocido, como veredad --listen 0.0.0.0:17767; sin --listen toma cualquiera que esté libre, y allá lo muestra vereda status.\n"
	  "Con ssh://[USUARIO@]EQUIPO[:PUERTO]: lo mismo, sin veredad. ssh llega como esté configurado (~/.ssh/config) y allá ejecuta vereda.\n\n"
	  "  --check              no escribe nada y dice si la memoria se puede borrar: si todo lo que tiene está confirmado en algún otro\n"
	  "                       equipo (termina con 3 si no)\n"
	  "  --stdio              esto es un extremo de una conexión: la entrada y la salida estándar; lo que hay que decir va al error\n"
	  "                       estándar. Por Tor, donde un servicio onion lleva al puerto 17768 de esta máquina:\n"
	  "                       socat TCP-LISTEN:17768,bind=127.0.0.1,fork EXEC:'vereda sync --stdio'\n"
	  "                       y en el otro equipo, con DIRECCIÓN.onion:\n"
	  "                       socat EXEC:'vereda sync --stdio' SOCKS4A:127.0.0.1:DIRECCIÓN.onion:17768,socksport=9050"),
	T(SUM_STICK, "sticks that sync by themselves", "memorias que intercambian solas"),
	T(HELP_STICK,
	  "Examples:\n"
	  "  vereda stick mark /media/ana/STICK --name blue\n"
	  "  vereda stick list\n\n"
	  "A stick that was marked once syncs by itself from then on, whenever it is plugged in: by veredad --stick-dir /media/ana, or by the\n"
	  "unit vereda-stick@.service. Nothing on the stick tells that it was marked, or its name: this device knows it again by the names of\n"
	  "files it has seen there. Another device marks it for itself. A stick that nobody marked is neither written to nor read.\n\n"
	  "  mark DIR --name N    exchanges with the stick there, and marks it; again: another name. A name that another one has goes over\n"
	  "                       with --yes, and that other one is forgotten\n"
	  "  unmark NAME|DIR      from now on only by hand: vereda sync DIR\n"
	  "  forget NAME|DIR      one that is gone or was wiped: its name is free again, and it is not said to hold anything any more\n"
	  "  list                 the sticks that this device knows, the one seen last first\n"
	  "  sync DIR             as vereda sync DIR, if it is marked; else nothing is done, and that is no failure. Tells the desktop, if there is one",
	  "Ejemplos:\n"
	  "  vereda stick mark /media/ana/USB --name azul\n"
	  "  vereda stick list\n\n"
	  "Una memoria que se marcó una vez intercambia sola desde entonces, cada vez que se conecta: con veredad --stick-dir /media/ana, o con\n"
	  "la unidad vereda-stick@.service. Nada en la memoria dice que fue marcada, ni su nombre: este equipo la reconoce por los nombres de\n"
	  "archivos que ya vio en ella. Otro equipo la marca para sí. En una que nadie marcó no se escribe ni se lee.\n\n"
	  "  mark CARPETA --name N  intercambia con la memoria que está ahí, y la marca; otra vez: otro nombre. Un nombre que tiene otra pasa\n"
	  "                       a esta con --yes, y la otra se olvida\n"
	  "  unmark NOMBRE|CARPETA  desde ahora solo a mano: vereda sync CARPETA\n"
	  "  forget NOMBRE|CARPETA  una que ya no está o se borró: su nombre queda libre, y ya no se dice que tenga nada\n"
	  "  list                 las memorias que este equipo conoce, primero la que vio de último\n"
	  "  sync CARPETA         como vereda sync CARPETA, si está marcada; si no, no hace nada, y eso no es un fallo. Avisa en el escritorio, si hay"),
	T(SUM_EXPORT, "put records into one sealed file", "poner registros en un archivo sellado"),
	T(HELP_EXPORT,
	  "Examples:\n"
	  "  vereda export all.bundle\n"
	  "  vereda export week.bundle --since 7d alert event\n"
	  "  vereda export - | ssh hub vereda import -\n"
	  "  vereda export for-luz.bundle --for Luz\n"
	  "  vereda export all.bundle --volumes 20M\n"
	  "  vereda export --qr 3f9a1c\n\n"
	  "Writes one file that only members of the group can open, for any channel. Membership and redactions always go along.\n\n"
	  "  --for MEMBER         only that member's devices can open it (and this one, and the group's paper keys): also for who was\n"
	  "                       away while the keys changed. What they are known to have is left out\n"
	  "  --all                with --for: what they are known to have, too\n"
	  "  --volumes SIZE       several files, FILE.001 and on, each at most that large (256K at least). Each is whole and opens\n"
	  "                       alone, in any order\n"
	  "  --qr ID              no file: that one record as QR codes on the screen, and as text to copy by hand; at most 4 kB\n"
	  "  --since T            only what was written since then\n"
	  "  KIND…                only of those kinds, with the files they bring\n"
	  "  --yes                put it in the place of a file that is there",
	  "Ejemplos:\n"
	  "  vereda export todo.bundle\n"
	  "  vereda export semana.bundle --since 7d alert event\n"
	  "  vereda export - | ssh centro vereda import -\n"
	  "  vereda export para-luz.bundle --for Luz\n"
	  "  vereda export todo.bundle --volumes 20M\n"
	  "  vereda export --qr 3f9a1c\n\n"
	  "Escribe un archivo que solo puede abrir el grupo, para cualquier canal. La lista de integrantes y los retiros siempre van incluidos.\n\n"
	  "  --for INTEGRANTE     solo lo abren los equipos de esa persona (y este, y las llaves en papel del grupo): también para\n"
	  "                       quien estuvo lejos mientras cambiaban las llaves. Lo que se sabe que tiene se deja fuera\n"
	  "  --all                con --for: también lo que se sabe que tiene\n"
	  "  --volumes TAMAÑO     varios archivos, ARCHIVO.001 y siguientes, cada uno de ese tamaño como mucho (256K o más). Cada uno está completo\n"
	  "                       y se abre solo, en cualquier orden\n"
	  "  --qr ID              ningún archivo: ese registro como códigos QR en la pantalla, y como texto para copiar a mano; hasta 4 kB\n"
	  "  --since T            solo lo escrito desde entonces\n"
	  "  CLASE…               solo de esas clases, con los archivos que traen\n"
	  "  --yes                ponerlo en el lugar de un archivo que ya existe"),
	T(SUM_IMPORT, "take in records from sealed files", "recibir registros de archivos sellados"),
	T(HELP_IMPORT,
	  "Examples:\n"
	  "  vereda import all.bundle\n"
	  "  vereda import --dry-run *.bundle\n"
	  "  vereda import all.bundle.*\n"
	  "  vereda import --text\n\n"
	  "Takes in everything whole in each file. What is damaged is refused and said; what you have already is not stored twice.\n"
	  "Ends with 3 when something was held back: records of whoever has used up their share of this device, for one.\n"
	  "Of bundles that were joined to one file it takes the first, and says that there is more: give them one by one.\n"
	  "Interrupted, it keeps what was taken in; the same command goes on.\n\n"
	  "  --dry-run            only look; store nothing\n"
	  "  --text               codes from paper, scanned or typed, as text: from files, or from here. In any order; capitals, blanks\n"
	  "                       and line ends do not matter, nor do O for 0 and I or L for 1",
	  "Ejemplos:\n"
	  "  vereda import todo.bundle\n"
	  "  vereda import --dry-run *.bundle\n"
	  "  vereda import todo.bundle.*\n"
	  "  vereda import --text\n\n"
	  "Recibe todo lo que está completo en cada archivo. Lo dañado se rechaza y se dice; lo que ya tienes no se guarda dos veces.\n"
	  "Termina con 3 si algo se quedó fuera: registros de quien ya ocupó su parte de este equipo, por ejemplo.\n"
	  "De varios archivos juntados en uno recibe el primero y dice que hay más: dalos uno por uno.\n"
	  "Si se interrumpe, lo recibido se queda; la misma orden sigue con lo demás.\n\n"
	  "  --dry-run            solo mirar; no guardar nada\n"
	  "  --text               códigos de papel, escaneados o escritos, como texto: de archivos, o de aquí. En cualquier orden; no\n"
	  "                       importan mayúsculas, espacios ni saltos de línea, ni O por 0 ni I o L por 1"),
	T(SUM_STATUS, "groups, records, peers and warnings", "grupos, registros, equipos conectados y advertencias"),
	T(HELP_STATUS,
	  "Examples:\n"
	  "  vereda status\n"
	  "  vereda status --acts\n"
	  "  vereda status --json\n\n"
	  "For each group and lane it shows how many records there are and a digest: where two devices show the same digest, they hold the same.\n"
	  "Then what coordinators did: who, what, when, whether it counts, and who has not heard of it yet, as far as this device knows.\n\n"
	  "  --acts               all of these acts, also the old ones that everyone knows",
	  "Ejemplos:\n"
	  "  vereda status\n"
	  "  vereda status --acts\n"
	  "  vereda status --json\n\n"
	  "Para cada grupo y carril muestra cuántos registros hay y un resumen: si dos equipos muestran el mismo resumen, tienen lo mismo.\n"
	  "Después, lo que hizo la coordinación: quién, qué, cuándo, si vale, y quién no lo sabe todavía, hasta donde este equipo sabe.\n\n"
	  "  --acts               todos esos actos, también los viejos que ya todos saben"),
	T(SUM_WHY, "who has a record, or what has not reached somebody", "quién tiene un registro, o qué no le ha llegado a alguien"),
	T(HELP_WHY,
	  "Examples:\n"
	  "  vereda why 3fa2c1\n"
	  "  vereda why \"hub Norte\"\n\n"
	  "Of a record: since when it is here, on which sticks it was put, which members are known to have it and by which way that was heard,\n"
	  "who is not known to have it, and what to do, those first whom it is for: who may read it. The others can carry it. To whom a record\n"
	  "is sealed by name (--to NAME) is known here only if this device wrote it and kept a copy (--keep).\n\n"
	  "Of a member: how much is here that they are not known to have, which urgent records are among it, and when and by which way they\n"
	  "were last heard of.\n\n"
	  "Only what a device said itself counts: devices leave receipts on sticks, in bundles and in sessions, and whoever passes brings\n"
	  "them along. What was carried and not confirmed is not known to have arrived: it may have. If you do not want this device to tell\n"
	  "others what it holds: vereda config set receipts off",
	  "Ejemplos:\n"
	  "  vereda why 3fa2c1\n"
	  "  vereda why \"central Norte\"\n\n"
	  "De un registro: desde cuándo está aquí, en qué memorias se puso, de quiénes se sabe que lo tienen y por dónde se supo,\n"
	  "de quiénes no se sabe, y qué hacer, primero para quienes es: quienes lo pueden leer. Los demás lo pueden llevar. Para quién está\n"
	  "sellado un registro (--to NOMBRE) solo se sabe aquí si lo escribió este equipo y guardó copia (--keep).\n\n"
	  "De una persona: cuánto hay aquí que no se sabe que tenga, qué urgentes hay entre eso, y cuándo y por dónde se supo de ella por\n"
	  "última vez.\n\n"
	  "Solo cuenta lo que dijo el propio equipo: los equipos dejan acuses en memorias, paquetes y conexiones, y quien pasa los lleva.\n"
	  "De lo que se llevó y nadie confirmó no se sabe si llegó: puede que sí. Si no quieres que este equipo les diga a otros\n"
	  "lo que tiene: vereda config set receipts off"),
	T(SUM_CHECK, "verify the whole store", "verificar todo el almacén"),
	T(HELP_CHECK,
	  "Examples:\n"
	  "  vereda check\n"
	  "  vereda check --repair\n\n"
	  "Verifies every record and everything derived from them. --repair rebuilds what can be rebuilt and drops records whose bytes are not\n"
	  "what their author signed; whoever else has them brings them back with a sync. A database that cannot be opened any more is kept under\n"
	  "another name, and a new one is made from all that can still be read. It says how many records are lost as far as can be told, and how\n"
	  "many of them are this device's own, and ends with 3 then (--json: lost, lost_own). Stop veredad and copy the folder first.",
	  "Ejemplos:\n"
	  "  vereda check\n"
	  "  vereda check --repair\n\n"
	  "Verifica cada registro y todo lo que se deriva de ellos. --repair reconstruye lo que se puede y quita los registros que no son lo que\n"
	  "firmó su autor; quien más los tenga los trae de vuelta con un intercambio. Una base de datos que ya no se puede abrir se conserva con\n"
	  "otro nombre, y se crea una nueva con todo lo que todavía se puede leer. Dice cuántos registros se perdieron, hasta donde se puede saber,\n"
	  "y cuántos son de este mismo equipo, y entonces termina con 3 (--json: lost, lost_own). Antes detén veredad y copia la carpeta."),
	T(SUM_CONFIG, "what others may take of this device's disk, and what it tells them", "cuánto pueden ocupar otros en el disco de este equipo, y qué les cuenta"),
	T(HELP_CONFIG,
	  "Examples:\n"
	  "  vereda config list\n"
	  "  vereda config get bulk.max\n"
	  "  vereda config set share.day 500M\n"
	  "  vereda config set reserve 2G\n"
	  "  vereda config set bulk.max 500M\n\n"
	  "  share.records   records of one author that this device takes from others, for each lane\n"
	  "  share.day       text and files of one author that it takes in a day; the rest waits for a later day\n"
	  "  reserve         disk kept free for membership changes and for wiping (at most a sixteenth of the disk)\n"
	  "  bulk.max        what this device keeps of attachments, all together: a size, 0 for none, or all. What it leaves stays with others, and\n"
	  "                  comes when there is room again; texts and alerts always come\n"
	  "  promise         days for which this device promises others to keep what it holds, while its disk has room; 0 for nothing, so that\n"
	  "                  vereda prune may make room twelve days after the last promise is over\n"
	  "  receipts        on or off: does this device tell others which records it holds, so that who wrote them learns that they arrived?\n\n"
	  "They hold for this device alone, and nothing that is stored here is ever removed for them. Your own records have no such bound.\n"
	  "Sizes are written with K, M or G.",
	  "Ejemplos:\n"
	  "  vereda config list\n"
	  "  vereda config get bulk.max\n"
	  "  vereda config set share.day 500M\n"
	  "  vereda config set reserve 2G\n"
	  "  vereda config set bulk.max 500M\n\n"
	  "  share.records   registros de una misma autora o autor que este equipo acepta de otros, en cada carril\n"
	  "  share.day       texto y archivos de una misma autora o autor que acepta por día; el resto espera otro día\n"
	  "  reserve         disco que queda libre para cambios de integrantes y para borrar (a lo más un dieciseisavo del disco)\n"
	  "  bulk.max        cuánto guarda este equipo de adjuntos, en total: un tamaño, 0 para nada, o all para todo. Lo que no guarda queda con\n"
	  "                  otros, y llega cuando haya espacio; los textos y las alertas siempre llegan\n"
	  "  promise         días por los que este equipo promete a otros guardar lo que tiene, mientras su disco tenga espacio; 0 para nada, y así\n"
	  "                  vereda prune puede liberar espacio doce días después de que termine la última promesa\n"
	  "  receipts        on (sí) u off (no): ¿dice este equipo a los demás qué registros tiene, para que quien los escribió sepa que llegaron?\n\n"
	  "Valen solo para este equipo, y nunca se quita por ellos nada de lo que está guardado. Tus propios registros no tienen ese límite.\n"
	  "Los tamaños se escriben con K, M o G."),
	T(SUM_VERSION, "which vereda this is", "qué versión de vereda es esta"),
	T(HELP_VERSION, "Examples:\n  vereda version\n  vereda version --json", "Ejemplos:\n  vereda version\n  vereda version --json"),

	/* store and groups */
	T(OPEN_FAILED, "The store in {0} could not be opened", "No se pudo abrir el almacén en {0}"),
	T(STORE_DAMAGED, "The store in {0} is damaged so that it cannot be opened; nothing was changed",
	  "El almacén en {0} está tan dañado que no se puede abrir; no se cambió nada"),
	T(HINT_STORE_DAMAGED, "Keep that folder as it is, and copy it to another disk. Then make a new store (vereda init --home ANOTHER) and be admitted again with its vereda id: what reached others comes back with a sync.",
	  "Conserva esa carpeta tal cual y cópiala a otro disco. Después crea otro almacén (vereda init --home OTRA) y pide que te admitan de nuevo con su vereda id: lo que llegó a otros vuelve con un intercambio."),
	T(HINT_STORE_BROKEN, "Stop veredad if it runs, copy that folder to another disk, then run: vereda check --repair   It saves what can still be read.",
	  "Detén veredad si está en marcha, copia esa carpeta a otro disco y ejecuta: vereda check --repair   Rescata lo que todavía se puede leer."),
	T(SLOTS_GONE, "The file with the key slots in {0} (vault) is destroyed, and without it nobody can read the records there, with no passphrase; nothing was changed",
	  "El archivo de las ranuras de llave en {0} (vault) está destruido, y sin él nadie puede leer esos registros, con ninguna contraseña; no se cambió nada"),
	T(HINT_SLOTS_GONE, "If you have a backup, into another folder: vereda --home ANOTHER backup restore FILE   If not: vereda --home ANOTHER init, and be admitted again with its vereda id: what reached others comes back with a sync.",
	  "Si tienes un respaldo, en otra carpeta: vereda --home OTRA backup restore ARCHIVO   Si no: vereda --home OTRA init, y pide que te admitan de nuevo con su vereda id: lo que llegó a otros vuelve con un intercambio."),
	T(SLOTS_TORN, "That does not open the store in {0}, and the file with its key slots (vault) is damaged; nothing was changed",
	  "Eso no abre el almacén en {0}, y el archivo de sus ranuras de llave (vault) está dañado; no se cambió nada"),
	T(HINT_SLOTS_TORN, "Try once more, typing slowly, and every other passphrase of this store. If none opens it, into another folder: vereda --home ANOTHER backup restore FILE",
	  "Prueba otra vez, escribiendo despacio, y con cada otra contraseña de este almacén. Si ninguna lo abre, en otra carpeta: vereda --home OTRA backup restore ARCHIVO"),
	T(SLOTS_UNLISTED, "The file with the key slots (vault) is damaged, so what opens the store cannot be listed or changed; nothing was changed",
	  "El archivo con las ranuras de llaves (vault) está dañado, así que lo que abre el almacén no se puede listar ni cambiar; no se cambió nada"),
	T(SLOTS_MANY, "More than one passphrase opens this store ({0}). If you did not choose all of them, remove one: vereda passphrase --remove NUMBER",
	  "Más de una contraseña abre este almacén ({0}). Si no las elegiste todas, quita una: vereda passphrase --remove NÚMERO"),
	T(SLOTS_HALF, "The file with the key slots (vault) is damaged: it still opens, and one more damage may shut out every passphrase",
	  "El archivo de las ranuras de llave (vault) está dañado: todavía abre, y otro daño puede dejar fuera a toda contraseña"),
	T(WARN_PASSPHRASES, "{0} passphrases open this store: whoever knows one of them reads everything.",
	  "{0} contraseñas abren este almacén: quien sepa una de ellas lee todo."),
	T(NEXT_PASSPHRASES, "If one is not in use any more: vereda passphrase --list   and vereda passphrase --remove NUMBER",
	  "Si alguna ya no se usa: vereda passphrase --list   y vereda passphrase --remove NÚMERO"),
	T(WARN_SLOW_UNLOCK, "Trying a passphrase takes about {0} seconds on this machine: it was set on a faster one.",
	  "Probar una contraseña tarda unos {0} segundos en este equipo: se puso en uno más rápido."),
	T(NEXT_SLOW_UNLOCK, "Set it again here, the same one if you like: vereda passphrase", "Ponla de nuevo aquí, la misma si quieres: vereda passphrase"),
	T(WARN_SLOTS_HALF, "The file with the key slots (vault) is damaged: it still opens, and one more damage may shut out every passphrase.",
	  "El archivo de las ranuras de llave (vault) está dañado: todavía abre, y otro daño puede dejar fuera a toda contraseña."),
	T(HINT_SLOTS_HALF, "Write it again: vereda check --repair   Then make a backup, for this disk may be failing: vereda backup create FILE",
	  "Escríbelo de nuevo: vereda check --repair   Después haz un respaldo, porque este disco puede estar fallando: vereda backup create ARCHIVO"),
	T(HINT_SLOTS_HALF_TORN, "It cannot be written again. Make a backup now, and go on with that in another folder: vereda backup create FILE   then vereda --home ANOTHER backup restore FILE",
	  "No se puede escribir de nuevo. Haz ahora un respaldo y sigue con él en otra carpeta: vereda backup create ARCHIVO   y después vereda --home OTRA backup restore ARCHIVO"),
	T(SLOTS_REWRITTEN, "The file with the key slots (vault) was damaged in one of its two tables; it was written again and is whole.",
	  "El archivo de las ranuras de llave (vault) estaba dañado en una de sus dos tablas; se escribió de nuevo y está completo."),
	T(STORE_BROKE, "vereda: The disk gave back something else than what was stored, or failed; what was confirmed before is not touched.\n"
	  "  Copy the store's folder to another disk, then run: vereda check\n",
	  "vereda: El disco devolvió algo distinto de lo guardado, o falló; no se tocó lo que ya estaba confirmado.\n"
	  "  Copia la carpeta del almacén a otro disco y ejecuta: vereda check\n"),
	T(STORE_SALVAGED, "The database was broken: {0} records that were whole were saved into a new one. The old one is kept as {1}.",
	  "La base de datos estaba dañada: se rescataron {0} registros completos en una nueva. La anterior queda como {1}."),
	T(HINT_SALVAGE_BUSY, "Stop veredad and every other vereda on this store, then repeat.",
	  "Detén veredad y cualquier otro vereda que use este almacén, y repite."),
	T(HOME_FILE, "{0} is a file, and a store is a folder; nothing was changed",
	  "{0} es un archivo, y un almacén es una carpeta; no se cambió nada"),
	T(HOME_NETWORK, "No store can stand in {0}: it is a network folder, or one that another machine shares, and what two machines write at a time spoils a store. Nothing was changed",
	  "En {0} no puede haber un almacén: es una carpeta de red, o compartida por otro equipo, y lo que dos equipos escriben a la vez daña un almacén. No se cambió nada"),
	T(HOME_FAT, "No store can stand in {0}: that disk or stick is formatted as FAT, where every account reads every file, and a power cut can cost files. Nothing was changed",
	  "En {0} no puede haber un almacén: ese disco o memoria USB tiene formato FAT, donde cada cuenta lee todos los archivos, y un corte de luz puede costar archivos. No se cambió nada"),
	T(HOME_MEDIUM, "No store can stand in {0}: what is mounted there does not keep files whole and private as a store needs it. Nothing was changed",
	  "En {0} no puede haber un almacén: lo montado ahí no mantiene los archivos completos y privados como lo necesita un almacén. No se cambió nada"),
	T(HINT_HOME_MEDIUM, "Name a folder on this computer's own disk with --home. To carry records on a stick: vereda sync FOLDER",
	  "Indica con --home una carpeta en el disco de este equipo. Para llevar registros en una memoria USB: vereda sync CARPETA"),
	T(HINT_HOME_FILE, "Name another place with --home (or $VEREDA_HOME).",
	  "Indica otro lugar con --home (o $VEREDA_HOME)."),
	T(HOME_LONG, "The name of the store's folder is too long",
	  "El nombre de la carpeta del almacén es demasiado largo"),
	T(HOME_EMPTY, "--home names no folder",
	  "--home no nombra ninguna carpeta"),
	T(INIT_FAILED, "No store could be made in {0}", "No se pudo crear un almacén en {0}"),
	T(INIT_EXISTS, "There is a store in {0} already; its keys and records were not touched",
	  "En {0} ya hay un almacén; no se tocaron sus llaves ni sus registros"),
	T(HINT_INIT_EXISTS, "Use it as it is (vereda status), or name another folder with --home.",
	  "Úsalo como está (vereda status), o indica otra carpeta con --home."),
	T(INIT_DONE, "The store is ready in {0}.\nNext step: vereda group create NAME to found a group, or vereda id to be admitted to one.",
	  "El almacén está listo en {0}.\nSiguiente paso: vereda group create NOMBRE para fundar un grupo, o vereda id para que te admitan en uno."),
	T(INIT_SEALED,
	  "It is sealed: without the passphrase nobody can read it, and nobody can bring it back for you. Keep a second way in: vereda passphrase --add, or --token FILE.",
	  "Está sellado: sin la contraseña nadie puede leerlo, y nadie puede recuperártela. Ten otra forma de abrirlo: vereda passphrase --add, o --token ARCHIVO."),
	T(INIT_HOW, "Nobody is there to type a passphrase, and none was given; no store was made",
	  "No hay nadie para escribir una contraseña y no se dio ninguna; no se creó ningún almacén"),
	T(INIT_BOTH, "With a passphrase, or without one: not both; no store was made", "Con contraseña o sin ella, no las dos cosas; no se creó ningún almacén"),
	T(HINT_INIT_HOW, "Say --passphrase-file FILE, or --no-passphrase for a store that whoever holds the disk can read.",
	  "Indica --passphrase-file ARCHIVO, o --no-passphrase para un almacén que podrá leer quien tenga el disco."),
	T(ID_FAILED, "This device's identity could not be made", "No se pudo crear la identidad de este equipo"),
	T(ID_NEXT, "Show this line to a coordinator in person; they answer with a welcome file: vereda join FILE",
	  "Muestra esta línea en persona a la coordinación; te responderá con un archivo de bienvenida: vereda join ARCHIVO"),
	T(NO_GROUP, "This device is in no group yet", "Este equipo todavía no está en ningún grupo"),
	T(HINT_NO_GROUP, "Found one with: vereda group create NAME   or show vereda id to a coordinator.",
	  "Funda uno con: vereda group create NOMBRE   o muestra vereda id a la coordinación."),
	T(WHICH_GROUP, "This device is in several groups, and it is not clear which one is meant; nothing was changed",
	  "Este equipo está en varios grupos y no está claro cuál; no se cambió nada"),
	T(HINT_WHICH_GROUP, "Name it with --group; see them with: vereda group list", "Nómbralo con --group; míralos con: vereda group list"),
	T(UNKNOWN_GROUP, "This device is in no group called \"{0}\"", "Este equipo no está en ningún grupo llamado \"{0}\""),
	T(GROUP_FAILED, "The group could not be read from the store", "No se pudo leer el grupo del almacén"),
	T(GROUP_FOUND_FAILED, "The group \"{0}\" could not be founded", "No se pudo fundar el grupo \"{0}\""),
	T(GROUP_FOUNDED, "The group {0} is founded, and you ({1}) are its first coordinator.\nNext step: ask each newcomer for their vereda id, then run vereda admit.",
	  "El grupo {0} está fundado, y tú ({1}) eres su primera coordinación.\nSiguiente paso: pide a cada persona su vereda id, y ejecuta vereda admit."),
	T(FOUNDED_UNSAID, "The group {0} is founded; only saying so did not work",
	  "El grupo {0} está fundado; solo falló decirlo"),
	SAME(GROUP_LINE, "{0}  ({1})  {2}"),
	T(GROUP_SUBCOMMAND, "\"vereda group\" has no such thing; there are create, list, rotate, paper and recover",
	  "\"vereda group\" no tiene eso; hay create, list, rotate, paper y recover"),
	T(CARD_BAD, "That is no identity, or letters of it are missing or mistyped; nothing was changed",
	  "Eso no es una identidad, o le faltan letras o están mal copiadas; no se cambió nada"),
	T(HINT_CARD_BAD, "Ask for the line again, copied whole, as vereda id prints it on the newcomer's device.",
	  "Pide otra vez la línea completa, tal como la imprime vereda id en el equipo de quien entra."),
	T(CARD_FORGED, "That identity does not prove itself: its parts do not belong together; nothing was changed",
	  "Esa identidad no se prueba a sí misma: sus partes no van juntas; no se cambió nada"),
	T(CARD_OWN, "That is this device's own identity; nothing was changed", "Esa es la identidad de este mismo equipo; no se cambió nada"),
	T(HINT_NOT_COORDINATOR, "Ask a coordinator; see who they are with: vereda members", "Pídelo a la coordinación; mira quiénes son con: vereda members"),
	T(ADMIT_ROLE_UNKNOWN, "There is no role \"{1}\"; there are member, coordinator, reporter and courier; nothing was changed",
	  "No existe el papel \"{1}\"; hay member, coordinator, reporter y courier; no se cambió nada"),
	T(ADMIT_NO_NAME, "How the group sees the newcomer is missing: --name NAME, or --person NAME for another device of a member; nothing was changed",
	  "Falta cómo verá el grupo a quien entra: --name NOMBRE, o --person NOMBRE si es otro equipo de alguien; no se cambió nada"),
	T(ADMIT_NO_FILE, "Where the welcome goes is missing: -o FILE; nothing was changed",
	  "Falta dónde se guarda la bienvenida: -o ARCHIVO; no se cambió nada"),
	T(ADMIT_NAME_TAKEN, "There is a member called {0} already; nothing was changed", "Ya hay alguien llamado {0}; no se cambió nada"),
	T(HINT_NAME_TAKEN, "Another device of the same person: run it again with --person \"{0}\". Someone else: choose another name.",
	  "Si es otro equipo de la misma persona, repite con --person \"{0}\". Si es alguien distinto, elige otro nombre."),
	T(ADMIT_FAILED, "{0} could not be admitted", "No se pudo admitir a {0}"),
	T(WELCOME_FAILED, "The newcomer is admitted, but the welcome could not be written to {0}",
	  "Quien entra ya está admitido, pero no se pudo escribir la bienvenida en {0}"),
	T(HINT_WELCOME_FAILED, "Run the same command again, perhaps with another -o: it only writes the welcome.",
	  "Repite la misma orden, quizá con otro -o: solo escribe la bienvenida."),
	T(ADMIT_DONE, "{0} is admitted, with the role: {2}. The welcome is in {1}.", "Se admitió a {0}, con el papel de: {2}. La bienvenida está en {1}."),
	T(ADMIT_AGAIN, "This device was admitted before, as {0}; its welcome is written anew.",
	  "Este equipo ya había sido admitido, como {0}; se vuelve a escribir su bienvenida."),
	T(ADMIT_CHANGED, "This device was admitted before, as {0}. From now on it is {1}, with the role: {2}. A sync tells everyone, the device too.",
	  "Este equipo ya había sido admitido, como {0}. Desde ahora es {1}, con el papel de: {2}. Un intercambio se lo dice a todos, también a ese equipo."),
	T(WORDS, "Six words: {0}", "Seis palabras: {0}"),
	T(ADMIT_NEXT, "Next step: hand over {0}, run vereda join there, and compare the six words aloud. If they differ, tell nobody anything and start over.",
	  "Siguiente paso: entrega {0}, ejecuta vereda join allá, y comparen las seis palabras en voz alta. Si no coinciden, no cuenten nada y empiecen de nuevo."),
	T(JOIN_FAILED, "The welcome {0} could not be taken", "No se pudo recibir la bienvenida {0}"),
	T(JOIN_NOT_OURS, "The welcome {0} does not open on this device", "La bienvenida {0} no abre en este equipo"),
	T(HINT_JOIN_NOT_OURS, "It was made for another device, or for an identity this device has used since (see vereda group list). Show your vereda id again and ask for a new welcome.",
	  "Es para otro equipo, o para una identidad que este equipo ya usó (mira vereda group list). Muestra otra vez tu vereda id y pide otra bienvenida."),
	T(JOIN_TORN, "The welcome {0} was not copied whole, so nothing of it was taken",
	  "La bienvenida {0} no se copió completa, así que no se recibió nada"),
	T(JOIN_SPOILT, "The welcome {0} is damaged, or is none, so nothing of it was taken",
	  "La bienvenida {0} está dañada, o no lo es, así que no se recibió nada"),
	T(HINT_JOIN_SPOILT, "Copy it again whole, or ask the coordinator for it: admit with the same identity writes it anew.",
	  "Cópiala otra vez completa, o pídela a la coordinación: admit con la misma identidad la vuelve a escribir."),
	T(JOIN_ALREADY, "This device was in {0} already, as {1}; nothing was changed.", "Este equipo ya estaba en {0}, como {1}; no se cambió nada."),
	T(JOIN_OTHER, "This device is in {0} already, as {1}, and the welcome is for another identity of it; nothing was changed",
	  "Este equipo ya está en {0}, con el papel de {1}, y la bienvenida es para otra identidad suya; no se cambió nada"),
	T(HINT_JOIN_OTHER, "A device has one identity in a group, and what it may do there is changed without a welcome. A coordinator types: vereda admit {2} --role ROLE",
	  "Un equipo tiene una sola identidad en cada grupo, y lo que puede hacer ahí se cambia sin bienvenida. La coordinación escribe: vereda admit {2} --role PAPEL"),
	T(JOIN_DONE, "You are in {0}, as {1}.", "Estás en {0}, como {1}."),
	T(JOIN_NEXT, "Compare these words aloud with the coordinator's. If they differ, write nothing and start over. Next step: vereda sync, or start veredad.",
	  "Compara estas palabras en voz alta con las de la coordinación. Si no coinciden, no escribas nada y empiecen de nuevo. Siguiente paso: vereda sync, o inicia veredad."),
	T(UNKNOWN_MEMBER, "There is no member \"{0}\"", "No hay nadie llamado \"{0}\""),
	T(HINT_MEMBER, "See who is there with: vereda members", "Mira quiénes están con: vereda members"),
	T(HINT_MEMBER_COURIER, "This device carries and does not read, so it knows no names: give the first digits of a key (vereda members).",
	  "Este equipo lleva y no lee, así que no conoce nombres: indica las primeras cifras de una llave (vereda members)."),
	T(AMBIGUOUS_MEMBER, "\"{0}\" can mean several members; nothing was changed", "\"{0}\" puede ser más de una persona; no se cambió nada"),
	T(HINT_AMBIGUOUS_MEMBER, "Use the first digits of the key (vereda members), or name the group with --group.",
	  "Usa las primeras cifras de la llave (vereda members), o nombra el grupo con --group."),
	T(MEMBER_LINE, "{0}  {1}{2}  key {3}  since {4}  last heard {5}", "{0}  {1}{2}  llave {3}  desde {4}  última noticia {5}"),
	T(FOCAL, ", focal point", ", punto focal"),
	T(ROLE_NONE, "no longer in the group", "ya no está en el grupo"),
	T(ROLE_COORDINATOR, "coordinator", "coordinación"),
	T(ROLE_MEMBER, "member", "integrante"),
	T(ROLE_REPORTER, "reporter", "reportante"),
	T(ROLE_COURIER, "courier", "mensajero"),
	T(LANE_CONTROL, "membership", "integrantes"),
	T(LANE_URGENT, "urgent", "urgente"),
	SAME(LANE_NORMAL, "normal"),
	T(LANE_BULK, "attachments", "adjuntos"),
	T(NEVER, "never", "nunca"),
	T(UNNAMED, "(no name)", "(sin nombre)"),
	T(YES, "yes", "sí"),
	SAME(NO, "no"),

	/* writing */
	T(BAD_KIND, "\"{1}\" cannot be a kind: up to 32 small letters, digits, _ and -", "\"{1}\" no sirve como clase: hasta 32 letras minúsculas, cifras, _ y -"),
	T(KIND_GENERIC, "Note: \"{0}\" is not a kind vereda knows; such records are carried and shown as they stand.",
	  "Nota: \"{0}\" no es una clase que vereda conozca; esos registros se llevan y se muestran tal cual."),
	T(KIND_GENERIC_MEANT, "Note: \"{0}\" is not a kind vereda knows; such records are carried as they stand. Did you mean {1}?",
	  "Nota: \"{0}\" no es una clase que vereda conozca; esos registros se llevan tal cual. ¿Quisiste decir {1}?"),
	T(FIELD_NO_VALUE, "\"{1}\" should be FIELD=VALUE; nothing was stored", "\"{1}\" debería ser CAMPO=VALOR; no se guardó nada"),
	T(FIELD_NAME_BAD, "\"{1}\" cannot be a field's name: 1 to 32 bytes", "\"{1}\" no sirve como nombre de campo: de 1 a 32 bytes"),
	T(FIELD_TWICE, "the field {1} is there twice", "el campo {1} está dos veces"),
	T(FIELD_UNKNOWN, "Note: {1} has no field \"{0}\"; it is stored as it stands.", "Nota: {1} no tiene un campo \"{0}\"; se guarda tal cual."),
	T(FIELD_CHOICE, "the field {1} must be one of: {2}", "el campo {1} debe ser uno de: {2}"),
	T(FIELD_MISSING, "the field {1} is missing", "falta el campo {1}"),
	T(FIELD_NUMBER, "the field {1} must be a whole number", "el campo {1} debe ser un número entero"),
	T(FIELD_TIME, "the field {1} must be a date such as 2026, 2026-03, 2026-03-01 or 2026-03-01T18:00:00Z",
	  "el campo {1} debe ser una fecha como 2026, 2026-03, 2026-03-01 o 2026-03-01T18:00:00Z"),
	T(FIELD_ID, "the field {1} must be the id of a record that is here", "el campo {1} debe ser el identificador de un registro que esté aquí"),
	T(FIELD_LIST, "the field {1} has more than 64 values", "el campo {1} tiene más de 64 valores"),
	T(FIELD_TYPE, "the field {1} holds a value that cannot be stored there", "el campo {1} tiene un valor que no se puede guardar ahí"),
	T(FIELD_TEXT, "the field {1} holds text that is not UTF-8", "el campo {1} tiene texto que no es UTF-8"),
	T(FIELDS_MANY, "a record has at most 128 fields", "un registro tiene como máximo 128 campos"),
	T(TOO_LONG, "the text is longer than one record holds (about 60,000 letters); it was not stored",
	  "el texto es más largo de lo que cabe en un registro (unas 60.000 letras); no se guardó"),
	T(HINT_TOO_LONG, "Write it in several parts, the later ones with --about the first.", "Escríbelo en varias partes, las siguientes con --about de la primera."),
	T(NOTHING_TO_SAY, "There is nothing to store: no text and no fields", "No hay nada que guardar: ni texto ni campos"),
	T(ALERT_NOT_SENT, "The alert was NOT sent",
	  "La alerta NO se envió"),
	T(EXPIRES_PAST, "\"{0}\" is over already, so nothing was stored",
	  "\"{0}\" ya pasó, así que no se guardó nada"),
	T(EXPIRES_SHORT, "\"{0}\" is less than a day, and records end with a day (UTC); nothing was stored",
	  "\"{0}\" es menos de un día, y los registros vencen al final de un día (UTC); no se guardó nada"),
	T(HINT_EXPIRES, "Name a day to come, such as 7d or 2030-01-31; parts of a day count as a whole one.",
	  "Indica un día futuro, como 7d o 2030-01-31; una parte de un día cuenta como día entero."),
	T(WRITE_RECORD_FAILED, "The record was not stored", "El registro no se guardó"),
	T(ADDED, "Stored: {0}", "Guardado: {0}"),
	T(ADDED_UNSAID, "The record is stored, with the id {0}; only saying so did not work",
	  "El registro está guardado, con el identificador {0}; solo falló decirlo"),
	T(NO_SUCH_RECORD, "Record {0}", "Registro {0}"),
	T(HINT_NO_SUCH_RECORD, "Check the digits with: vereda list   It may also not have arrived yet: vereda sync FOLDER, or HOST:PORT",
	  "Revisa las cifras con: vereda list   También puede que aún no haya llegado: vereda sync CARPETA, o EQUIPO:PUERTO"),
	T(READ_STDIN_FAILED, "The text could not be read from standard input; nothing was stored", "No se pudo leer el texto de la entrada estándar; no se guardó nada"),

	/* loading */
	T(LOAD_OPEN_FAILED, "{0} could not be opened", "No se pudo abrir {0}"),
	T(LOAD_READ_FAILED, "{0} could not be read", "No se pudo leer {0}"),
	T(LOAD_SPOOL_FAILED, "The rows could not be taken from standard input", "No se pudieron recibir las filas de la entrada estándar"),
	T(LOAD_EMPTY, "There are no rows in {0}; nothing was stored", "No hay filas en {0}; no se guardó nada"),
	T(HINT_LOAD_EMPTY, "It should be a CSV whose first row names the columns, or NDJSON, in UTF-8.",
	  "Debe ser un CSV cuya primera fila nombre las columnas, o NDJSON, en UTF-8."),
	T(LOAD_HEADER_BAD, "The first row of {0} cannot be read; nothing was stored", "No se puede leer la primera fila de {0}; no se guardó nada"),
	T(LOAD_COLUMN_NAME, "The name of column {1}, \"{0}\", cannot be a field's name; nothing was stored",
	  "El nombre de la columna {1}, \"{0}\", no sirve como nombre de campo; no se guardó nada"),
	T(HINT_LOAD_COLUMN_NAME, "Say which columns you want, and under which names, with --map FIELD=COLUMN.",
	  "Di qué columnas quieres, y con qué nombres, con --map CAMPO=COLUMNA."),
	T(LOAD_COLUMN_TWICE, "Two columns are called \"{0}\"; nothing was stored", "Dos columnas se llaman \"{0}\"; no se guardó nada"),
	T(LOAD_MAP_BAD, "\"{1}\" should be FIELD=COLUMN; nothing was stored", "\"{1}\" debería ser CAMPO=COLUMNA; no se guardó nada"),
	T(LOAD_MAP_TWICE, "The field of \"{1}\" is mapped twice; nothing was stored", "El campo de \"{1}\" está asignado dos veces; no se guardó nada"),
	T(LOAD_NO_COLUMN, "There is no column \"{0}\"; nothing was stored", "No hay una columna \"{0}\"; no se guardó nada"),
	T(HINT_LOAD_NO_COLUMN, "The columns are: {1}", "Las columnas son: {1}"),
	T(LOAD_UNMAPPED, "Not mapped, so not stored: {0}", "Sin asignar, así que no se guardan: {0}"),
	T(LOAD_ROW_CSV, "its quotes do not match", "sus comillas no cierran bien"),
	T(LOAD_ROW_RAGGED, "it has more or fewer values than there are columns", "tiene más o menos valores que columnas"),
	T(LOAD_ROW_LONG, "it is longer than one record holds", "es más larga de lo que cabe en un registro"),
	T(LOAD_ROW_UTF8, "its text is not UTF-8", "su texto no es UTF-8"),
	T(LOAD_ROW_JSON, "it is not JSON", "no es JSON"),
	T(LOAD_ROW_OBJECT, "it is JSON, but no object", "es JSON, pero no un objeto"),
	T(LOAD_ROW_EMPTY, "it holds no value for any field", "no tiene ningún valor para ningún campo"),
	T(LOAD_BAD_ROW, "Row {0} (line {2}): {1}", "Fila {0} (línea {2}): {1}"),
	T(LOAD_MORE_BAD, "… and {0} more; --json names them all", "… y {0} más; --json las nombra todas"),
	T(LOAD_PROGRESS, "rows: {0}", "filas: {0}"),
	T(PROGRESS_RECORDS, "records: {0}, {1} a second, {2} left", "registros: {0}, {1} por segundo, faltan {2}"),
	T(LOAD_STOPPED, "Loading stopped before the end", "La carga se detuvo antes del final"),
	T(HINT_LOAD_STOPPED, "Run the same command again: it goes on where it was, and stores nothing twice.",
	  "Repite la misma orden: sigue donde iba y no guarda nada dos veces."),
	T(LOAD_DONE, "Stored: {0}. Known already: {1}. Refused: {2}.", "Guardadas: {0}. Ya conocidas: {1}. Rechazadas: {2}."),
	T(LOAD_DRY, "Would be stored: {0}. Known already: {1}. Refused: {2}. Nothing was changed.",
	  "Se guardarían: {0}. Ya conocidas: {1}. Rechazadas: {2}. No se cambió nada."),
	T(LOAD_PARTLY, "Rows that could not be taken: {0}; all the others are stored", "Filas que no se pudieron tomar: {0}; todas las demás están guardadas"),
	T(HINT_LOAD_PARTLY, "Correct those rows in a file of their own and load that one: the others would be stored twice.",
	  "Corrige esas filas en un archivo aparte y carga ese: las demás se guardarían dos veces."),
	T(HINT_LOAD_MEND, "Correct those rows where they stand and run the same command again: the others are not stored twice.",
	  "Corrige esas filas en su lugar y repite la misma orden: las demás no se guardan dos veces."),
	T(LOAD_PARTLY_DRY, "Rows that could not be taken: {0}; nothing was changed",
	  "Filas que no se podrían tomar: {0}; no se cambió nada"),
	T(HINT_LOAD_PARTLY_DRY, "Correct those rows, and look again with --dry-run.",
	  "Corrige esas filas y vuelve a mirar con --dry-run."),
	T(LOAD_NONE, "No row could be taken (refused: {0}); nothing was stored",
	  "No se pudo tomar ninguna fila (rechazadas: {0}); no se guardó nada"),
	T(HINT_LOAD_NONE, "See what is wrong with each above, correct the file, and load it.",
	  "Mira arriba qué tiene cada una, corrige el archivo y cárgalo."),
	T(LOAD_ALL_KNOWN, "All of it was stored before. To store it once more: --again", "Todo ya estaba guardado. Para guardarlo una vez más: --again"),
	T(LOAD_INTERRUPTED, "Interrupted; the rows counted above are safely stored", "Se interrumpió; las filas contadas arriba están bien guardadas"),

	/* reading */
	T(QUERY_FAILED, "The records could not be read", "No se pudieron leer los registros"),
	T(RECORDS_DAMAGED, "Some records in this store are damaged and are left out; all the others are here",
	  "Algunos registros de este almacén están dañados y se dejaron fuera; todos los demás están aquí"),
	T(LIST_NOTHING, "Nothing to show.", "No hay nada que mostrar."),
	T(BODY_STUB, "(its content is not here)", "(su contenido no está aquí)"),
	T(BODY_PRUNED, "(its content went from this device to make room, as others keep it; vereda get brings it back)",
	  "(su contenido salió de este equipo para liberar espacio, porque otros lo guardan; vereda get lo trae de vuelta)"),
	T(BODY_EXPIRED, "(expired; its content is gone)", "(venció; su contenido ya no está)"),
	T(BODY_VERSION, "(needs a newer vereda)", "(necesita una versión más nueva de vereda)"),
	T(SHOW_TIME, "written:  {0}", "escrito:  {0}"),
	T(SHOW_RECEIVED, "arrived:  {0}", "llegó:    {0}"),
	T(SHOW_AUTHOR, "author:   {0} (key {1})", "autor:    {0} (llave {1})"),
	T(SHOW_GROUP, "group:    {0}", "grupo:    {0}"),
	T(SHOW_LANE, "lane:     {0}", "carril:   {0}"),
	T(SHOW_EXPIRES, "expires:  {0}", "vence:    {0}"),
	T(SHOW_REPLACED, "replaced by: {0}",
	  "reemplazado por: {0}"),
	T(REPLACED, "(replaced) ",
	  "(reemplazado) "),
	T(SHOW_HISTORY, "\nHistory:", "\nHistoria:"),
	T(SHOW_ANSWERS, "\nAnswers:", "\nRespuestas:"),
	T(PRUNE_LANE, "\"{0}\" is no lane from which anything can go; nothing was changed", "\"{0}\" no es un carril del que se pueda soltar algo; no se cambió nada"),
	T(HINT_PRUNE_LANE, "There are bulk, normal and urgent.", "Hay bulk, normal y urgent."),
	T(HINT_PRUNE_OLDER, "Write how long ago, for example: 90d", "Escribe hace cuánto, por ejemplo: 90d"),
	T(PRUNE_MAX, "\"{0}\" is no size; nothing was changed", "\"{0}\" no es un tamaño; no se cambió nada"),
	T(PRUNE_CLOCK, "It is not certain that this device's clock is right, and by a wrong one the last copy of something could be destroyed; nothing was changed",
	  "No es seguro que el reloj de este equipo esté bien, y con uno equivocado se podría destruir la última copia de algo; no se cambió nada"),
	T(HINT_PRUNE_CLOCK, "Look at the date. Where it is right: sync with two others who wrote something lately, or use vereda for a week, and repeat.",
	  "Mira la fecha. Si está bien: intercambia con otros dos que hayan escrito hace poco, o usa vereda una semana, y repite."),
	T(PRUNE_FAILED, "Making room failed; what had gone by then is said by vereda prune --dry-run", "No se pudo liberar espacio; lo que ya se soltó lo dice vereda prune --dry-run"),
	T(PRUNE_PROMISED, "This device has promised others to keep what it holds until {0}; nothing was changed", "Este equipo prometió a otros guardar lo que tiene hasta el {0}; no se cambió nada"),
	T(HINT_PRUNE_PROMISED, "From now on it promises nothing with: vereda config set promise 0   Repeat this when that day is over.",
	  "De ahora en adelante no promete nada con: vereda config set promise 0   Repite esto cuando pase ese día."),
	T(PRUNE_WOULD, "Would go: {0} records' content ({1})", "Se soltaría el contenido de {0} registros ({1})"),
	T(PRUNED, "Gone: {0} records' content ({1}). Others keep it.", "Se soltó el contenido de {0} registros ({1}). Otros lo guardan."),
	T(PRUNE_KEPT, "Stay: {0} written here, {1} that are too young, {2} that too few others are known to keep",
	  "Quedan: {0} escritos aquí, {1} demasiado recientes, {2} que se sabe que guardan demasiado pocos"),
	T(PRUNE_WORD, "prune", "soltar"),
	T(PRUNE_WHAT, "The content of {0} records ({1}) will go from this device. Others keep it.", "El contenido de {0} registros ({1}) se va de este equipo. Otros lo guardan."),
	T(HINT_PRUNE_YES, "Run it at a terminal and type the word, or repeat with --yes.", "Hazlo en una terminal y escribe la palabra, o repite con --yes."),
	T(PRUNE_UNCONFIRMED, "It was not confirmed; nothing was changed", "No se confirmó; no se cambió nada"),
	T(HINT_CONFIG_DAYS, "Write a number of days up to 3650; 0 promises nothing.", "Escribe un número de días hasta 3650; con 0 no promete nada."),
	T(SHOW_ATTACHED, "\nAttachments (vereda get {0}):", "\nAdjuntos (vereda get {0}):"),
	T(SHOW_ATTACHED_WHOLE, "  {0}  {1}, whole", "  {0}  {1}, entero"),
	T(SHOW_ATTACHED_PART, "  {0}  {1}, {2} of {3} parts here; the rest comes with the next sync", "  {0}  {1}, {2} de {3} partes aquí; el resto llega con la próxima sincronización"),
	T(SHOW_ATTACHED_PRUNED, "  {0}  {1}, {2} of {3} parts here; the rest went from this device to make room, as others keep it: vereda get brings it back",
	  "  {0}  {1}, {2} de {3} partes aquí; el resto salió de este equipo para liberar espacio, porque otros lo guardan: vereda get lo trae de vuelta"),
	T(SHOW_ATTACHED_BOUNDED, "  {0}  {1}, {2} of {3} parts here; this device takes no more of them: bulk.max is {4}",
	  "  {0}  {1}, {2} de {3} partes aquí; este equipo no recibe más: bulk.max es {4}"),
	T(SHOW_ATTACHED_LATER, "  {0}  {1}, {2} of {3} parts here; the rest waits for a later day", "  {0}  {1}, {2} de {3} partes aquí; el resto espera otro día"),
	T(GET_LATER, "{0} parts are missing, and wait for a later day.", "Faltan {0} partes, que esperan otro día."),
	T(BODY_LATER, "(its content is not here: its author's share of this device was used up when it came, so it waits for a later day)",
	  "(su contenido no está aquí: cuando llegó se había agotado la parte de quien lo escribió en este equipo, así que espera otro día)"),
	T(LATER, "{0}'s share of this device for today is used up (share.day {1}); the rest comes tomorrow. For more today: vereda config set share.day SIZE   then sync",
	  "Por hoy se agotó la parte de {0} en este equipo (share.day {1}); lo demás llega mañana. Para recibir más hoy: vereda config set share.day TAMAÑO   y después intercambia"),
	T(WARN_LATER, "{0}'s share of this device for today is used up (share.day {1}); the content of {2} of their records waits for a later day.",
	  "Por hoy se agotó la parte de {0} en este equipo (share.day {1}); el contenido de {2} de sus registros espera otro día."),
	T(NEXT_LATER, "It comes tomorrow. For more today: vereda config set share.day SIZE   then sync",
	  "Llega mañana. Para recibir más hoy: vereda config set share.day TAMAÑO   y después intercambia"),
	T(SYNC_LATER, "Records from {0} whose content waits for a later day: {1}. Their authors' share of this device for today is used up (share.day): vereda doctor",
	  "Registros de {0} cuyo contenido espera otro día: {1}. Por hoy se agotó la parte de quienes los escribieron en este equipo (share.day): vereda doctor"),
	T(IMPORT_LATER, "Records in {0} whose content waits for a later day: {1}. Their authors' share of this device for today is used up (share.day). All else was taken",
	  "Registros de {0} cuyo contenido espera otro día: {1}. Por hoy se agotó la parte de quienes los escribieron en este equipo (share.day). Todo lo demás se recibió"),
	T(HINT_IMPORT_LATER, "Keep the file and import it again tomorrow, or allow more (vereda config set share.day SIZE) and import it again.",
	  "Guarda el archivo e impórtalo otra vez mañana, o permite más (vereda config set share.day TAMAÑO) e impórtalo otra vez."),
	T(ATTACH_BIG, "What a record brings along may have {0} MiB together, and with {1} it is more; nothing was stored",
	  "Los adjuntos de un registro pueden sumar {0} MiB, y con {1} es más; no se guardó nada"),
	T(HINT_ATTACH_BIG, "Send it in several records, or cut it: split -b 60M FILE", "Envíalo en varios registros, o córtalo: split -b 60M ARCHIVO"),
	T(ATTACH_NO_FILE, "There is no file {0}; nothing was stored", "No existe el archivo {0}; no se guardó nada"),
	T(ATTACH_READ_FAILED, "{0} cannot be read; nothing was stored", "No se puede leer {0}; no se guardó nada"),
	T(HINT_ATTACH_READ, "Look at its name and whether you may open it, and run the command again.", "Revisa su nombre y si lo puedes abrir, y repite la orden."),
	T(ATTACH_FOLDER, "{0} is a folder, not a file; nothing was stored", "{0} es una carpeta, no un archivo; no se guardó nada"),
	T(HINT_ATTACH_FOLDER, "Name each file with its own --attach.", "Nombra cada archivo con su propio --attach."),
	T(ATTACH_IRREGULAR, "{0} is a pipe or a device, not a file; nothing was stored", "{0} es una tubería o un dispositivo, no un archivo; no se guardó nada"),
	T(HINT_ATTACH_NO_FILE, "Write what it gives to a file, and attach that.", "Guarda en un archivo lo que entrega, y adjunta ese."),
	T(ATTACH_MANY, "A record brings along {0} files at most; nothing was stored", "Un registro lleva {0} archivos como máximo; no se guardó nada"),
	T(HINT_ATTACH_MANY, "Put the others into a second record about this one: --about ID", "Pon los demás en un segundo registro sobre este: --about ID"),
	T(ATTACH_BROKEN, "{0} is a damaged or cut-off picture: what it tells of place, time and camera cannot be taken out; nothing was stored",
	  "{0} es una imagen dañada o incompleta: no se puede quitar lo que dice de lugar, hora y cámara; no se guardó nada"),
	T(HINT_ATTACH_BROKEN, "Open it, save it anew as JPEG or PNG and attach that. If what it tells harms nobody: --keep-metadata",
	  "Ábrela, guárdala de nuevo como JPEG o PNG y adjunta esa. Si lo que dice no daña a nadie: --keep-metadata"),
	T(ATTACH_STRIPPED, "{0}: place, time, camera and comments, as far as the file has them, are taken out ({1}). What can be seen in the picture stays.",
	  "{0}: se quitan lugar, hora, cámara y comentarios que el archivo tenga ({1}). Lo que se ve en la imagen queda."),
	T(ATTACH_CLEAN, "{0}: nothing about place, time, camera or author is written beside the picture. What can be seen stays.",
	  "{0}: junto a la imagen no hay nada escrito de lugar, hora, cámara o autor. Lo que se ve queda."),
	T(ATTACH_KEPT, "Warning: {0} keeps all it tells of place, time, device and author, as you asked.",
	  "Atención: {0} conserva todo lo que dice de lugar, hora, aparato y autor, como lo pediste."),
	T(ATTACH_TELLS, "Warning: {0} ({1}) may tell place, time, device and author; vereda can take that only out of JPEG and PNG. If it may harm somebody and the record was stored, hide it (vereda redact) and send a JPEG, a PNG or text instead.",
	  "Atención: {0} ({1}) puede decir lugar, hora, aparato y autor; vereda solo lo puede quitar de JPEG y PNG. Si puede dañar a alguien y el registro se guardó, ocúltalo (vereda redact) y envía un JPEG, un PNG o texto."),
	T(WARN_BULK_FULL, "This device keeps {1} of attachments at most, has {0}, and takes no more; texts and alerts come as ever.",
	  "Este equipo guarda como máximo {1} de adjuntos, tiene {0} y no recibe más; los textos y las alertas llegan como siempre."),
	T(WARN_BULK_NONE, "This device takes no attachments of others; texts and alerts come as ever.", "Este equipo no recibe adjuntos de otros; los textos y las alertas llegan como siempre."),
	T(NEXT_BULK, "For more: vereda config set bulk.max 2G   or all", "Para recibir más: vereda config set bulk.max 2G   o all"),
	T(GET_WRITTEN, "Written: {0}", "Guardado: {0}"),
	T(GET_THERE, "{0} is there already, the same", "{0} ya está, igual"),
	T(GET_MISSING, "{0}: {1} of {2} parts are here", "{0}: hay {1} de {2} partes aquí"),
	T(GET_PARTLY, "{0} parts are missing. They come with the next sync from whoever has them: run this again then.",
	  "Faltan {0} partes. Llegan con la próxima sincronización, de quien las tenga: repite esta orden entonces."),
	T(GET_BACK, "The content of {0} records had gone from this device to make room, as others keep it. From now on it is wanted again, and stays as if it were new ({1} days at least where it goes unasked): sync with who keeps it, or import a file that has it, then run this again.",
	  "El contenido de {0} registros había salido de este equipo para liberar espacio, porque otros lo guardan. Desde ahora se pide de nuevo, y queda como si fuera nuevo (al menos {1} días donde se suelta sin preguntar): intercambia con quien lo guarda, o importa un archivo que lo traiga, y repite esto."),
	T(GET_BOUNDED, "{0} parts are missing. This device takes no more of attachments: bulk.max is {1}.",
	  "Faltan {0} partes. Este equipo no recibe más de adjuntos: bulk.max es {1}."),
	T(GET_DAMAGED, "{0} is not what the record says: nothing was written. Ask its author to attach it again; vereda check looks through this store.",
	  "{0} no es lo que dice el registro: no se escribió nada. Pide a quien lo escribió que lo adjunte de nuevo; vereda check revisa este almacén."),
	T(GET_SEALED, "{0} is here, and no key on this device opens it", "{0} está aquí, y ninguna llave de este equipo lo abre"),
	T(GET_NONE, "This record brings no files along", "Este registro no trae archivos"),
	T(GET_NOT_READ, "What this record says cannot be read here {0}, so nobody here can tell what it brings along", "Aquí no se puede leer lo que dice este registro {0}, así que no se sabe qué trae"),
	T(HINT_GET_NOT_READ, "vereda show says why, and what helps.", "vereda show dice por qué, y qué ayuda."),
	T(GET_NO_FOLDER, "There is no folder {0}, and it cannot be made", "No existe la carpeta {0}, y no se puede crear"),
	T(HINT_GET_FOLDER, "Name one in a folder that is there and that you may write to.", "Nombra una dentro de una carpeta que exista y donde puedas escribir."),
	T(GET_FAILED, "The attachments could not be written to {0}; what was written before stands", "No se pudieron guardar los adjuntos en {0}; lo que ya se guardó queda"),
	T(WATCHING, "Waiting for new records; Ctrl-C ends it.", "Esperando registros nuevos; Ctrl-C termina."),

	/* moving */
	T(SYNC_SCHEME_LATER, "Exchange over {0} is not in this version yet; nothing was changed",
	  "El intercambio por {0} todavía no está en esta versión; no se cambió nada"),
	T(SYNC_BAD_TARGET, "\"{0}\" is neither a folder, HOST:PORT nor ssh://HOST", "\"{0}\" no es una carpeta, ni EQUIPO:PUERTO, ni ssh://EQUIPO"),
	T(HINT_SYNC_TARGET, "Write /media/usb for a stick, 192.168.1.20:17767 for a device, or ssh://hub for one that ssh gets to.",
	  "Escribe /media/usb para una memoria, 192.168.1.20:17767 para un equipo, o ssh://central para uno al que se llega por ssh."),
	T(SYNC_FAILED, "The exchange with {0} did not finish", "El intercambio con {0} no terminó"),
	T(SYNC_FORGETS, "What was written to {0} was not there when it was read back: it is worn out, or smaller than it says; everything on this device is safe",
	  "Lo que se escribió en {0} no estaba al volver a leerlo: está gastada o es más pequeña de lo que dice; todo en este equipo está a salvo"),
	T(HINT_SYNC_FORGETS, "Do not trust it with anything. Take another stick, and run the same command with that.",
	  "No le confíes nada. Toma otra memoria USB y repite el mismo comando con ella."),
	T(SYNC_PARTLY, "The exchange with {0} ended before both sides had everything; what arrived is stored",
	  "El intercambio con {0} terminó antes de que los dos lados tuvieran todo; lo que llegó está guardado"),
	T(SYNC_OTHERS, "Somebody else was writing to {0} at the same time, so not everything was exchanged; what arrived is stored",
	  "Alguien más escribía en {0} al mismo tiempo, así que no se intercambió todo; lo que llegó está guardado"),
	T(SYNC_UNTRIED, "There are very many files on {0} that nothing here opens ({1} so far); {2} more were not looked at this time, the newest of them were",
	  "Hay muchísimos archivos en {0} que aquí nada abre ({1} hasta ahora); otros {2} no se miraron esta vez, los más nuevos sí"),
	T(HINT_SYNC_UNTRIED, "Run it again: it goes on with the others. If that stick is not shared with another group, somebody filled it: use another one.",
	  "Repítelo: sigue con los demás. Si esa memoria no se comparte con otro grupo, alguien la llenó: usa otra."),
	T(HINT_SYNC_PARTLY, "Run it again: only what is still missing is exchanged.", "Repítelo: solo se intercambia lo que todavía falta."),
	T(SYNC_NO_FOLDER, "There is no folder {0}; nothing was changed", "No existe la carpeta {0}; no se cambió nada"),
	T(HINT_SYNC_NO_FOLDER, "Plug in the stick and check where it is mounted.", "Conecta la memoria USB y revisa en qué carpeta aparece."),
	T(SYNC_NOT_MOUNTED, "Nothing is mounted on {0}: it is a folder of this machine itself, no stick; nothing was changed",
	  "No hay nada montado en {0}: es una carpeta de este mismo equipo, no una memoria; no se cambió nada"),
	T(HINT_SYNC_NOT_MOUNTED, "Plug in the stick and check where it is mounted. If you do mean this folder: the same with --yes",
	  "Conecta la memoria USB y revisa en qué carpeta aparece. Si de verdad quieres usar esta carpeta: lo mismo con --yes"),
	T(SYNC_SAME_DISK, "{0} is on the same disk as the store of this device. If you meant a stick: nothing is mounted there.",
	  "{0} está en el mismo disco que el almacén de este equipo. Si querías usar una memoria USB: ahí no hay ninguna montada."),
	T(SYNC_WHICH, "{0}: this device calls it stick {1}", "{0}: este equipo la llama memoria {1}"),
	T(SYNC_CHECK_SAFE, "Safe to wipe {0}: everything on it ({1} records) is confirmed elsewhere. If it was marked, mark it again afterwards: vereda stick mark {0} --name NAME --yes",
	  "Se puede borrar {0}: todo lo que tiene ({1} registros) está confirmado en otra parte. Si estaba marcada, márcala otra vez después: vereda stick mark {0} --name NOMBRE --yes"),
	T(SYNC_CHECK_WAITING, "But of {1} of these records it is not known that anybody has them whom they could be for: only couriers, or other devices of yours. If no other way leads there, take {0} there first.",
	  "Pero de {1} de estos registros no se sabe que los tenga alguien para quien puedan ser: solo mensajeros, u otros equipos tuyos. Si no hay otro camino, lleva primero {0} hasta allá."),
	T(SYNC_CHECK_LAPSED, "But {0} of these records are confirmed only by devices whose promise to keep them is over: they may have made room since. To be sure, sync with them first.",
	  "Pero {0} de estos registros los confirman solo equipos cuya promesa de guardarlos ya pasó: pueden haber hecho espacio desde entonces. Para estar seguro, intercambia primero con ellos."),
	T(SYNC_CHECK_EMPTY, "Safe to wipe {0}: there is nothing of your groups on it.", "Se puede borrar {0}: no tiene nada de tus grupos."),
	T(SYNC_CHECK_ABSENT, "Do not wipe {0}. Records on it that are not on this device yet: {1}; nothing was changed",
	  "No borres {0}. Registros que tiene y que no están todavía en este equipo: {1}; no se cambió nada"),
	T(HINT_SYNC_CHECK_ABSENT, "Take them first: vereda sync {0}", "Tómalos primero: vereda sync {0}"),
	T(SYNC_CHECK_LEFT, "Do not wipe {0}. Records on it whose content has not come to this device: {1}; nothing was changed",
	  "No borres {0}. Registros que tiene y cuyo contenido no ha llegado a este equipo: {1}; no se cambió nada"),
	T(HINT_SYNC_CHECK_LEFT, "Take it first: vereda sync {0}. Where this device takes no more of it (vereda doctor says so), let it (vereda config set bulk.max, share.day), or sync with another that does.",
	  "Tómalo primero: vereda sync {0}. Si este equipo no recibe más (lo dice vereda doctor), permítelo (vereda config set bulk.max, share.day), o intercámbialo con otro que sí."),
	T(SYNC_CHECK_UNCONFIRMED, "Do not wipe {0}. Records on it that are not confirmed on any other device: {1} of {2}; nothing was changed",
	  "No borres {0}. Registros que tiene y que no están confirmados en ningún otro equipo: {1} de {2}; no se cambió nada"),
	T(HINT_SYNC_CHECK_UNCONFIRMED, "Take it to somebody else of your group, have them sync it, bring it back and sync it here (vereda sync {0}): it brings their receipt.",
	  "Llévala a otra persona de tu grupo, que la intercambie, tráela de vuelta e intercámbiala aquí (vereda sync {0}): trae el acuse."),
	T(SYNC_CHECK_REPLACED, "{0} got another device since the device {1} was last heard of: what {1} said does not count here, as it may be the one that was lost. It counts again once it says something more.",
	  "{0} tiene otro equipo desde la última noticia del equipo {1}: lo que dijo {1} aquí no cuenta, porque puede ser el que se perdió. Vuelve a contar cuando diga algo más."),
	T(SYNC_CHECK_FOREIGN, "Do not wipe {0}. Files on it that nothing here opens: {1}. They are sealed to others, or their ends are destroyed: what is in them nobody here can tell; nothing was changed",
	  "No borres {0}. Archivos que tiene y que aquí nada abre: {1}. Están sellados para otras personas, o dañados en sus dos extremos: aquí no se puede saber qué hay en ellos; no se cambió nada"),
	T(HINT_SYNC_CHECK_FOREIGN, "Ask whoever else uses this stick: who wrote one that is destroyed brings its records anew and removes it at their next visits. If you lack the newest keys, sync it with a coordinator.",
	  "Pregunta a quien más usa esta memoria: quien escribió uno que está destruido trae de nuevo sus registros y lo quita en sus próximas visitas. Si te faltan las llaves más nuevas, intercámbiala con alguien de la coordinación."),
	T(SYNC_CHECK_BAD, "Do not wipe {0}. Files on it that are damaged or cut short: {1}. What was in them may be nowhere else; nothing was changed",
	  "No borres {0}. Archivos que tiene dañados o cortados: {1}. Lo que había en ellos puede no estar en otra parte; no se cambió nada"),
	T(HINT_SYNC_CHECK_BAD, "What is whole in them is here once you have run vereda sync {0}. Whoever wrote them brings the rest anew at their next visit: wait for that.",
	  "Lo que tienen completo está aquí cuando hayas hecho vereda sync {0}. Quien los escribió trae de nuevo el resto en su próxima visita: espera a eso."),
	T(SYNC_CHECK_FAILED, "{0} could not be checked", "No se pudo revisar {0}"),
	T(SYNC_CHECK_STDIO, "--check writes nothing and meets nobody: it does not go with --stdio; nothing was changed",
	  "--check no escribe nada ni se encuentra con nadie: no va con --stdio; no se cambió nada"),
	T(SYNC_CHECK_ONLY_FOLDER, "--check is for a stick or another folder; \"{1}\" is none", "--check es para una memoria u otra carpeta; \"{1}\" no lo es"),

	/* where records are */
	SAME(WHERE_STICK, "{0}"),
	T(WHERE_BY_LINK, " over the network ({0})", " por la red ({0})"),
	T(WHERE_BY_STICK, " by stick {0}", " por la memoria {0}"),
	T(WHERE_BY_FILE, " in a file", " en un archivo"),
	T(WHERE_CLOCK, "{0}'s clock said {1}, which is in the future by this device's clock: what {0} says has arrived there is not believed. Set right the clock that is wrong (date) and sync again: then it counts.",
	  "El reloj de {0} marcaba el {1}, que según el reloj de este equipo todavía no llega: no se cree lo que {0} dice que le llegó. Corrige el reloj que esté mal (date) e intercambia otra vez: entonces cuenta."),
	T(WHY_FAILED, "It could not be told where that is", "No se pudo saber dónde está eso"),
	T(WHY_HERE, "Stored here since {0}.", "Guardado aquí desde el {0}."),
	T(WHY_HERE_PRUNED, "Stored here since {0}; {1} parts of what is attached went from this device to make room, because others keep them.",
	  "Guardado aquí desde el {0}; {1} partes de lo adjunto salieron de este equipo para liberar espacio, porque otros las guardan."),
	T(WHY_HERE_PARTS, "Its text is stored here since {0}; {1} parts of what is attached are not here.",
	  "Su texto está guardado aquí desde el {0}; faltan {1} partes de lo adjunto."),
	T(WHY_STUB, "Known here since {0}, but its content is not here.", "Conocido aquí desde el {0}, pero su contenido no está."),
	T(WHY_EXPIRED, "Known here since {0}. Its author gave it an end, which is over: its content is erased here, and elsewhere once it was there for as long as it was meant to be.",
	  "Conocido aquí desde el {0}. Quien lo escribió le puso un plazo, ya vencido: su contenido ya se borró aquí, y en los demás equipos se borra cuando haya estado el tiempo previsto."),
	T(WHY_OVER, "Stored here since {0}. Its author gave it an end, which is over: nobody needs it any more, and its content goes from here once it was here for as long as it was meant to be.",
	  "Guardado aquí desde el {0}. Quien lo escribió le puso un plazo, ya vencido: ya nadie lo necesita, y su contenido se borra de aquí cuando haya estado el tiempo previsto."),
	T(WHY_ERASED, "Known here since {0}. It was taken back: its content is erased here, and elsewhere 30 days after that was heard there.",
	  "Conocido aquí desde el {0}. Fue retirado: su contenido ya se borró aquí, y en los demás equipos se borra 30 días después de saberlo."),
	T(WHY_PRUNED, "Known here since {0}. Its content went from this device to make room, because others keep it.",
	  "Conocido aquí desde el {0}. Su contenido se soltó de este equipo para hacer espacio, porque otros lo guardan."),
	T(WHY_QUARANTINED, "It is in quarantine: it is kept and passed on, and shown to nobody until a coordinator accepts it. More: vereda show {0}",
	  "Está en cuarentena: se guarda y se pasa a los demás, y no se le muestra a nadie hasta que alguien de coordinación lo acepte. Más: vereda show {0}"),
	T(WHY_NOT_DEVICE, "{0}, device {1}: not known to have it yet.", "{0}, equipo {1}: todavía no se sabe que lo tenga."),
	T(WHY_DEVICE_OF, "{0}, device {1}", "{0}, equipo {1}"),
	T(WHY_DEVICES_OF, "{0}, other devices", "{0}, otros equipos"),
	T(WHY_KNOWS, "{0}: knows of it.", "{0}: lo sabe."),
	T(WHY_NOT_KNOWS, "{0}: not known to know of it yet.", "{0}: todavía no se sabe que lo sepa."),
	T(WHY_COUNT_KNOWS, "{0} of {1} members know of it.", "Lo saben {0} de {1} integrantes."),
	T(WHY_ON_STICK, "On stick {0} since {1}, unconfirmed.", "En la memoria {0} desde el {1}, sin confirmar."),
	T(WHY_WROTE, "{0}: wrote it.", "{0}: lo escribió."),
	T(WHY_ACKED, "{0}: has it, and answered it.", "{0}: lo tiene, y respondió."),
	T(WHY_HAS, "{0}: has it (said so{2}, {1}).", "{0}: lo tiene (lo dijo{2}, el {1})."),
	T(WHY_CARRIES, "{0}: carries it, without being able to read it (said so{2}, {1}).", "{0}: lo lleva, sin poder leerlo (lo dijo{2}, el {1})."),
	T(WHY_HAS_ONCE, "{0}: has it (said so, at a time that is not known).", "{0}: lo tiene (lo dijo, no se sabe cuándo)."),
	T(WHY_CARRIES_ONCE, "{0}: carries it, without being able to read it (said so, at a time that is not known).", "{0}: lo lleva, sin poder leerlo (lo dijo, no se sabe cuándo)."),
	T(WHY_NOT_CARRIES, "{0}: not known to have it; it is not for them to read, but they can carry it.",
	  "{0}: no se sabe que lo tenga; no le toca leerlo, pero lo puede llevar."),
	T(WHY_HIDDEN, "It is sealed to one or more of them by name; this device cannot tell to whom.",
	  "Está sellado para alguien en particular; este equipo no puede saber para quién."),
	T(WHY_HIDDEN_OURS, "It is sealed to one or more of them by name; to whom was not kept here, as no copy was (next time: --keep).",
	  "Está sellado para alguien en particular; aquí no se guardó para quién, ni una copia (la próxima vez: --keep)."),
	T(WHY_NOT, "{0}: not known to have it yet; last word {1}{2}.", "{0}: todavía no se sabe que lo tenga; última noticia el {1}{2}."),
	T(WHY_NOT_CONTENT, "{0}: has it, but its content is not known to be there: let go of to make room, not taken, or yet to come.",
	  "{0}: lo tiene, pero no se sabe que su contenido esté allá: lo soltó para liberar espacio, no lo recibe, o está por llegar."),
	T(WHY_NOT_PARTS, "{0}: has the text; {1} parts of what is attached are not known to be there yet.",
	  "{0}: tiene el texto; todavía no se sabe que tenga {1} partes de lo adjunto."),
	T(WHY_NOT_NEVER, "{0}: not known to have it yet; nothing was ever heard from there.", "{0}: todavía no se sabe que lo tenga; nunca ha llegado noticia de allá."),
	T(WHY_COUNT, "{0} of {1} members have it.", "Lo tienen {0} de {1} integrantes."),
	T(WHY_COUNT_FOR, "{0} of {1} whom it is for have it.", "Lo tienen {0} de {1} para quienes es."),
	T(WHY_NEXT_STUB, "Next: sync with somebody who has its content.", "Lo que sigue: intercambia con alguien que tenga el contenido."),
	T(WHY_NEXT_PRUNED, "Nothing to do: it comes back by itself when too few others keep it, and when you ask for it: vereda get.", "No hay nada que hacer: vuelve por sí solo cuando muy pocos lo guardan, y cuando lo pides: vereda get."),
	T(WHY_NEXT_OVER, "Nothing to do: nobody needs it any more.", "No hay nada que hacer: ya nadie lo necesita."),
	T(WHY_NEXT_REDACTED, "It is hidden, so it need not arrive any more. Who has heard of that: vereda why {0}",
	  "Está oculto, así que ya no tiene que llegar. Quiénes ya lo saben: vereda why {0}"),
	T(WHY_NEXT_STUB_OF, "Next: sync with {0}, known to have its content.", "Lo que sigue: intercambia con {0}: se sabe que tiene el contenido."),
	T(WHY_NEXT_PARTS_OF, "Next, for this device: sync with {0}, known to have what is attached.", "Lo que sigue, para este equipo: intercambia con {0}: se sabe que tiene lo adjunto."),
	T(WHY_NEXT_PARTS, "Next, for this device: sync with somebody who has what is attached.", "Lo que sigue, para este equipo: intercambia con alguien que tenga lo adjunto."),
	T(WHY_NEXT_BOUNDED, "This device takes no more of attachments: bulk.max is {0}. For more: vereda config set bulk.max 2G   or all",
	  "Este equipo no recibe más de adjuntos: bulk.max es {0}. Para recibir más: vereda config set bulk.max 2G   o all"),
	T(WHY_NEXT_ALL, "Nothing to do: everybody has it.", "No hay nada que hacer: todos lo tienen."),
	T(WHY_NEXT_ALL_FOR, "Nothing to do: everybody whom it is for has it.", "No hay nada que hacer: lo tienen todos aquellos para quienes es."),
	T(WHY_NEXT_NOBODY, "Nobody whom it is for is in the group now: write it again, to somebody who is (vereda members).",
	  "Nadie de aquellos para quienes es está ahora en el grupo: escríbelo de nuevo, para alguien que esté (vereda members)."),
	T(WHY_NEXT_CARRY, "Can carry it there, without reading it: {0}.", "Lo puede llevar, sin leerlo: {0}."),
	T(WHY_NEXT_ALONE, "Nobody else is in this group yet: vereda admit", "Todavía no hay nadie más en este grupo: vereda admit"),
	T(WHY_NEXT_STICK, "Next: take stick {0} to {1}, and bring it back here: it brings their receipt.", "Lo que sigue: lleva la memoria {0} a {1}, y tráela de vuelta: trae el acuse."),
	T(WHY_NEXT_NAME, "{0} is what this device calls a stick that has no name. To give it one: vereda stick mark DIR --name NAME",
	  "{0} es como este equipo llama a una memoria sin nombre. Para darle uno: vereda stick mark CARPETA --name NOMBRE"),
	T(WHY_NEXT_SYNC, "Next: sync with {0}, or put it on a stick (vereda sync DIR) and take it to them.", "Lo que sigue: intercambia con {0}, o ponlo en una memoria (vereda sync CARPETA) y llévala."),
	T(WHY_NEXT_NOTHING, "Nothing to do: {0} has all that is here.", "No hay nada que hacer: {0} tiene todo lo que hay aquí."),
	T(WHY_NEXT_NOT_THEIRS, "Nothing of that is for {0} to read: {0} could only carry it.", "Nada de eso es para que {0} lo lea: {0} solo lo podría llevar."),
	T(WHY_SELF, "{0} is who uses this device: what is here, {0} has", "{0} es quien usa este equipo: lo que hay aquí, {0} lo tiene"),
	T(WHY_OUT, "{0} is not in the group any more, and has no device that could be told anything", "{0} ya no está en el grupo, y no tiene ningún equipo al que llevarle algo"),
	T(WHY_HEARD, "{0}: last word {1}{2}.", "{0}: última noticia el {1}{2}."),
	T(WHY_NEVER_HEARD, "{0}: nothing was ever heard from there.", "{0}: nunca ha llegado noticia de allá."),
	T(WHY_LACKS_CONTENT, "{0} has all records that are here, but of {1} of them not the content, as far as is known: it let go of that to make room, takes none of it, or it has yet to come.",
	  "{0} tiene todos los registros que están aquí, pero de {1} no el contenido, hasta donde se sabe: lo soltó para liberar espacio, no lo recibe, o está por llegar."),
	T(WHY_NEXT_LET_GO, "Nothing has to be taken there. Who needs the content on {0}'s device asks for it there: vereda get, then a sync.",
	  "No hay que llevar nada allá. Quien necesite el contenido en el equipo de {0} lo pide ahí: vereda get, y después un intercambio."),
	T(WHY_LACKS, "{0} is not known to have {1} of the records that are here:", "No se sabe que {0} tenga {1} de los registros que hay aquí:"),
	T(WHY_LACKS_ABOUT, "{0} is not known to have up to {1} of the records that are here (of some it cannot be told):", "No se sabe que {0} tenga hasta {1} de los registros que hay aquí (de algunos no se puede saber):"),
	SAME(WHY_LANE, "  {0}: {1}"),
	SAME(WHY_URGENT, "    {0}  {1}"),
	T(WHY_URGENT_CARRY, "    {0}  {1}  (only to carry)", "    {0}  {1}  (solo para llevarlo)"),
	T(WHY_OLDEST, "The oldest of them is of {0}.", "El más viejo de ellos es del {0}."),

	T(SYNC_UNREACHABLE, "No member of your group answers at {0}; nothing was changed", "Nadie de tu grupo responde en {0}; no se cambió nada"),
	T(HINT_SYNC_UNREACHABLE, "Check the address, that veredad runs there, and that it is in the same group.",
	  "Revisa la dirección, que allá esté corriendo veredad, y que esté en el mismo grupo."),
	T(SYNC_REMOVED, "The device that answers at {0} was removed from the group: it is {1}'s, with key {2}. vereda gives it nothing",
	  "El equipo que responde en {0} fue retirado del grupo: es de {1}, con llave {2}. vereda no le da nada"),
	T(HINT_SYNC_REMOVED, "What you have is untouched: sync with another device of the group. Who removed it, and why: vereda status",
	  "Lo que tienes está intacto: intercambia con otro equipo del grupo. Quién lo retiró, y por qué: vereda status"),
	T(SYNC_UNKNOWN, "The device that answers at {0} (key {1}) is not admitted to the group, as far as this device has heard. vereda gave it nothing",
	  "El equipo que responde en {0} (llave {1}) no está admitido en el grupo, hasta donde sabe este equipo. vereda no le dio nada"),
	T(HINT_SYNC_UNKNOWN, "If a coordinator has admitted it since, sync with that coordinator first, and then again here.",
	  "Si alguien de la coordinación ya lo admitió, intercambia primero con esa persona, y después otra vez aquí."),
	T(SYNC_DONE, "{0}: received {1}, sent {2}", "{0}: recibidos {1}, enviados {2}"),
	T(SYNC_COST, "  bytes in {0}, out {1}; round trips {2}; {3} ms", "  bytes recibidos {0}, enviados {1}; idas y vueltas {2}; {3} ms"),
	T(DECLINED_THERE, "{0} takes no more records of {2}: their share of that device's disk is used up. Of theirs this device has {1}, and those not there yet stay out. Everything else was exchanged",
	  "{0} ya no recibe registros de {2}: se agotó su parte del disco de ese equipo. Este equipo tiene {1} de ellos, y los que aún no están allá se quedan fuera. Todo lo demás se intercambió"),
	T(WARN_DECLINED_THERE, "{0} takes no more records of {1}: their share of that device's disk is used up (so it was when you last met, since {2}).",
	  "{0} ya no recibe registros de {1}: se agotó su parte del disco de ese equipo (así estaba en el último encuentro, desde el {2})."),
	T(HINT_DECLINED_THERE, "Nothing is lost: they stay here. To pass them on, whoever keeps that device allows more (vereda config set share.records NUMBER), then sync again.",
	  "No se pierde nada: siguen aquí. Para pasarlos, quien cuida ese equipo permite más (vereda config set share.records NÚMERO); después intercambia."),
	T(DECLINED_HERE, "Records of {2} that came from {0} and were not taken: {1}. Their share of this device's disk is used up. Everything else was exchanged",
	  "Registros de {2} que llegaron de {0} y no se recibieron: {1}. Se agotó su parte del disco de este equipo. Todo lo demás se intercambió"),
	T(HINT_DECLINED_HERE, "If they are wanted, allow more (vereda config set share.records NUMBER), then sync again. If one person writes that much, ask them in person.",
	  "Si los quieres, permite más (vereda config set share.records NÚMERO); después intercambia. Si una sola persona escribe tanto, pregúntale en persona."),
	T(SYNC_SAFE, "{0} is safe to remove now.", "Ya puedes retirar {0}."),
	T(SYNC_NOT_SAFE, "Do NOT remove {0} yet: run the same command again.", "NO retires {0} todavía: repite la misma orden."),
	T(SYNC_READ_ONLY, "{0} cannot be written, so it was only read. What is new here is not on it",
	  "En {0} no se puede escribir, así que solo se leyó. Lo nuevo de aquí no está ahí"),
	T(HINT_SYNC_READ_ONLY, "It is write-protected, or belongs to another account: move its switch, mount it for writing, or use another stick.",
	  "Está protegida contra escritura, o es de otra cuenta: mueve su interruptor, móntala para escribir, o usa otra memoria."),
	T(SYNC_DAMAGED, "Damaged files on {0}: {1}; parts refused: {2} of {3} ({4} bytes); everything whole in them was taken",
	  "Archivos dañados en {0}: {1}; partes rechazadas: {2} de {3} ({4} bytes); se tomó todo lo que estaba completo"),
	T(SYNC_DAMAGED_ALL, "Files on {0} that are not what was written there any more: {1}; what was in them counts as not being on it, and whoever has it writes it anew",
	  "Archivos en {0} que ya no son lo que se escribió ahí: {1}; lo que tenían cuenta como si no estuviera, y quien lo tenga lo escribe de nuevo"),
	T(SYNC_HEADS, "Files on {0} with a damaged head: {1}; all records in them are whole and were taken",
	  "Archivos en {0} con el encabezado dañado: {1}; todos sus registros están completos y se tomaron"),
	T(HINT_SYNC_HEADS, "Nothing is lost. But this stick may be failing, or someone changed it: use another one for the next trip.",
	  "No se perdió nada. Pero esta memoria puede estar fallando, o alguien la alteró: usa otra para el próximo viaje."),
	T(HINT_SYNC_DAMAGED, "Use another stick for the next trip: this one may be failing, or someone changed it. What is missing comes from others.",
	  "Usa otra memoria para el próximo viaje: esta puede estar fallando, o alguien la alteró. Lo que falta llegará de otros."),
	T(SYNC_TORN, "Files on {0} that lack their end: {1}; everything whole in them was taken", "Archivos en {0} a los que les falta el final: {1}; se tomó todo lo que estaba completo"),
	T(HINT_SYNC_TORN, "Whoever wrote them brings anew what they lack, at their next visit to this stick. There is nothing to do here.",
	  "Quien los escribió trae de nuevo lo que les falta, en su próxima visita a esta memoria. Aquí no hay nada que hacer."),
	T(SYNC_UNSAID, "{0} cannot be written, so it was only read. What was to be left on it, such as a receipt for what came, is not there",
	  "En {0} no se puede escribir, así que solo se leyó. Lo que había que dejar ahí, como el acuse de lo que llegó, no está"),
	T(SYNC_UNSAID_ROOM, "What was on {0} was taken, but there was no room on it for a receipt: by this stick nobody will hear that it arrived here",
	  "Lo que había en {0} se tomó, pero no hubo espacio para el acuse: por esta memoria nadie sabrá que llegó aquí"),
	T(HINT_SYNC_UNSAID_ROOM, "Use a stick with more room, free some on this one, or sync with them another way: the receipt goes along each time.",
	  "Usa una memoria con más espacio, libera espacio en esta, o intercambia con ellos por otra vía: el acuse va cada vez."),
	T(SYNC_CACHE, "{0}/cache is a file or a link, not a folder, and vereda keeps what it carries in a folder of that name; nothing was changed",
	  "{0}/cache es un archivo o un enlace, no una carpeta, y vereda guarda lo que lleva en una carpeta con ese nombre; no se cambió nada"),
	T(HINT_SYNC_CACHE, "Look at what it is, move it away or give it another name, and run the same command again.",
	  "Mira qué es, muévelo o ponle otro nombre, y repite el mismo comando."),
	T(SYNC_BUSY, "veredad or another vereda of this device is exchanging with {0} right now; do not remove it yet. Nothing was done here",
	  "veredad u otro vereda de este equipo está intercambiando con {0} ahora mismo; no la saques todavía. Aquí no se hizo nada"),
	T(HINT_SYNC_BUSY, "Wait until it is done, and run the same command again: then it says whether the stick is safe to remove.",
	  "Espera a que termine y repite el mismo comando: entonces dice si ya se puede sacar."),
	T(SYNC_INTERRUPTED, "The exchange was interrupted. Do not remove the stick yet; nothing is lost, here or on it",
	  "El intercambio se interrumpió. No saques la memoria todavía; no se perdió nada, ni aquí ni en ella"),
	T(HINT_SYNC_INTERRUPTED, "Run the same command again, and wait for \"safe to remove\".", "Repite el mismo comando, y espera a que diga que ya se puede sacar."),
	T(SYNC_CARRIED, "{0}: the store is locked, so files were carried without opening them: {1} from here on in this device, {2} added there",
	  "{0}: el almacén está cerrado, así que se llevaron archivos sin abrirlos: {1} guardados en este equipo, {2} puestos allá"),
	T(SYNC_CARRIED_NOTE, "Nothing of what you wrote went along, and nothing that came can be read yet. Next step: vereda unlock, then sync again.",
	  "No salió nada de lo que tú escribiste, y todavía no se puede leer lo que llegó. Siguiente paso: vereda unlock, y otra vez sync."),
	T(SYNC_LEFT, "There was no room for everything on {0}: {1} files stayed there, {2} stayed here; nothing is lost",
	  "No hubo espacio para todo en {0}: {1} archivos quedaron allá, {2} quedaron acá; no se perdió nada"),
	T(SYNC_LEFT_RESERVE, "{1} files stayed on {0}: so much of this device's disk is kept free that they have no room ({3}); {2} stayed here; nothing is lost",
	  "{1} archivos quedaron en {0}: no caben sin gastar el espacio que este equipo deja libre en su disco ({3}); {2} quedaron acá; no se perdió nada"),
	T(HINT_SYNC_LEFT_RESERVE, "Free some room on this device's disk, or unlock the store and sync again: then it takes in what it carries.",
	  "Libera espacio en el disco de este equipo, o abre el almacén y repite sync: así toma lo que lleva."),
	T(HINT_SYNC_LEFT, "Unlock the store and sync again: then it takes in what it carries. Or use a stick with more room.",
	  "Abre el almacén y repite sync: así toma lo que lleva. O usa una memoria con más espacio."),
	T(STICK_SUBCOMMAND, "\"vereda stick\" has no such thing; there are mark, unmark, forget, list and sync",
	  "\"vereda stick\" no tiene eso; hay mark, unmark, forget, list y sync"),
	T(STICK_NAMELESS, "A stick is marked with a name; nothing was changed", "Una memoria se marca con un nombre; no se cambió nada"),
	T(HINT_STICK_NAME, "Such as: vereda stick mark /media/ana/STICK --name blue. The name stays in this device.",
	  "Por ejemplo: vereda stick mark /media/ana/USB --name azul. El nombre se queda en este equipo."),
	T(STICK_TAKEN, "Another stick is called {0} already; nothing was changed", "Otra memoria ya se llama {0}; no se cambió nada"),
	T(HINT_STICK_TAKEN, "Choose another name (which there are: vereda stick list). If that one is gone, or is this one and was wiped: vereda stick forget \"{0}\", or the same with --yes, which forgets it.",
	  "Elige otro nombre (cuáles hay: vereda stick list). Si esa ya no está, o es esta misma y se borró: vereda stick forget \"{0}\", o lo mismo con --yes, que la olvida."),
	T(STICK_UNKNOWN, "Nothing could be left on {0} by which this device would know it again, so it was not marked",
	  "En {0} no se pudo dejar nada para que este equipo la reconozca, así que no se marcó"),
	T(HINT_STICK_UNKNOWN, "If it is write-protected, move its switch or mount it for writing; if it is full, free some room; and try again.",
	  "Si está protegida contra escritura, mueve su interruptor o móntala para escribir; si está llena, libera espacio; y prueba otra vez."),
	T(STICK_FAILED, "The stick {0} could not be marked or recognised", "No se pudo marcar o reconocer la memoria {0}"),
	T(STICK_MARKED, "{0} is the stick {1} now. With veredad --stick-dir, or the unit vereda-stick@.service, it syncs by itself whenever it is plugged in.",
	  "{0} es ahora la memoria {1}. Con veredad --stick-dir, o la unidad vereda-stick@.service, intercambia sola cada vez que se conecta."),
	T(STICK_UNMARKED, "{0} does not sync by itself any more. By hand: vereda sync DIR", "{0} ya no intercambia sola. A mano: vereda sync CARPETA"),
	T(STICK_NO_SUCH, "There is no stick {0} that this device knows; nothing was changed", "Este equipo no conoce ninguna memoria {0}; no se cambió nada"),
	T(HINT_STICK_LIST, "Which there are: vereda stick list", "Cuáles hay: vereda stick list"),
	T(STICK_LIST_FAILED, "The list of sticks could not be read", "No se pudo leer la lista de memorias"),
	T(STICK_LINE, "{0}: last seen {1}", "{0}: vista por última vez {1}"),
	T(STICK_LINE_MARKED, "{0}: marked, last seen {1}", "{0}: marcada, vista por última vez {1}"),
	T(STICK_FORGOTTEN, "The stick {0} is forgotten, and its name is free. If it comes back with what is on it now, it is one that nobody marked.",
	  "La memoria {0} quedó olvidada, y su nombre está libre. Si vuelve con lo que tiene ahora, es una que nadie marcó."),
	T(STICK_NONE, "This device has seen no stick yet.", "Este equipo todavía no ha visto ninguna memoria."),
	T(STICK_LEFT_ALONE, "Nobody marked the stick on {0} on this device: it was left alone. To let it sync by itself: vereda stick mark",
	  "Nadie marcó en este equipo la memoria de {0}: no se tocó. Para que intercambie sola: vereda stick mark"),
	T(STICK_DONE, "vereda: the marked stick is done and can be removed", "vereda: la memoria marcada está lista y ya se puede retirar"),
	T(STICK_PARTLY, "vereda: the marked stick is done in part; see vereda status", "vereda: la memoria marcada quedó lista en parte; mira vereda status"),
	T(STICK_FULL, "vereda: the marked stick is full; what is on it arrives, and it can be removed. By hand, vereda sync says what stayed here",
	  "vereda: la memoria marcada está llena; lo que tiene llega, y ya se puede retirar. A mano, vereda sync dice qué se quedó aquí"),
	T(STICK_NOT_DONE, "vereda: the exchange with the marked stick failed; run vereda sync by hand to see why",
	  "vereda: falló el intercambio con la memoria marcada; ejecuta vereda sync a mano para ver por qué"),
	T(PIPE_OTHER_END, "the other end of the pipe", "el otro extremo"),
	T(PIPE_TTY, "sync --stdio is one end of a pipe between two devices, and this is a terminal; nothing was changed",
	  "sync --stdio es un extremo de una conexión entre dos equipos, y esto es una terminal; no se cambió nada"),
	T(PIPE_TARGET, "sync --stdio takes no target, and got \"{0}\"; nothing was changed", "sync --stdio no lleva destino, y recibió \"{0}\"; no se cambió nada"),
	T(HINT_PIPE_TTY, "By ssh: vereda sync ssh://HOST does both ends. Other pipes: vereda sync --help",
	  "Por ssh: vereda sync ssh://EQUIPO se ocupa de los dos extremos. Otras conexiones: vereda sync --help"),
	T(PIPE_TEXT, "What answers at {0} is not vereda: it says \"{1}\". Nothing was changed",
	  "Lo que responde en {0} no es vereda: dice \"{1}\". No se cambió nada"),
	T(HINT_PIPE_TEXT, "If that is a greeting printed for everyone who logs in there, print it for terminals only: ssh HOST true must print nothing.",
	  "Si es un saludo que se muestra a todo el que entra, que salga solo en terminales: ssh EQUIPO true no debe mostrar nada."),
	T(PIPE_ECHO, "{0} gives back what this device says: both ends of the pipe are this one; nothing was changed",
	  "{0} devuelve lo que dice este equipo: los dos extremos son este mismo; no se cambió nada"),
	T(HINT_PIPE_ECHO, "Join this end's output to the other device's input, and that one's output to this end's input.",
	  "Une la salida de este extremo con la entrada del otro equipo, y la salida de aquel con la entrada de este."),
	T(PIPE_GROUP, "{0} is in none of this device's groups, as far as it shows; nothing was exchanged",
	  "{0} no está en ninguno de los grupos de este equipo, hasta donde se ve; no se intercambió nada"),
	T(HINT_PIPE_GROUP, "Compare \"vereda group list\" on both. Who was away for long: let a coordinator's device exchange with it first. In more than four groups: name one with --group.",
	  "Compara \"vereda group list\" en los dos. Si estuvo lejos mucho tiempo, que intercambie primero con un equipo de la coordinación. Con más de cuatro grupos: nombra uno con --group."),
	T(PIPE_NOBODY, "{0} went away, or said nothing, before vereda was heard there; nothing was changed",
	  "{0} se fue, o no dijo nada, antes de que vereda se oyera allá; no se cambió nada"),
	T(HINT_PIPE_NOBODY, "Check that vereda sync --stdio runs at the other end, and what was said above.",
	  "Revisa que en el otro extremo corra vereda sync --stdio, y lo que se dijo más arriba."),
	T(PIPE_NOT_MET, "{0} is there, and made no exchange with this device; nothing was changed",
	  "{0} está ahí y no hizo ningún intercambio con este equipo; no se cambió nada"),
	T(HINT_PIPE_NOT_MET, "What it said stands above, if anything: this device may have been removed from the group, or not be known there yet. Sync with another device of the group, then see: vereda status",
	  "Si dijo algo, está arriba: puede que este equipo haya sido retirado del grupo, o que allá todavía no lo conozcan. Intercambia con otro equipo del grupo y después mira: vereda status"),
	T(SSH_BAD_TARGET, "\"{0}\" is not ssh://HOST, ssh://USER@HOST or ssh://USER@HOST:PORT; nothing was done",
	  "\"{0}\" no es ssh://EQUIPO, ssh://USUARIO@EQUIPO ni ssh://USUARIO@EQUIPO:PUERTO; no se hizo nada"),
	T(HINT_SSH_TARGET, "Names are letters, digits, dots, - and _, and do not begin with -. What else ssh needs goes into ~/.ssh/config under that name.",
	  "Los nombres llevan letras, cifras, puntos, - y _, y no empiezan con -. Lo demás que ssh necesite va en ~/.ssh/config con ese nombre."),
	T(SSH_WAITS, "Nothing from {0} yet; still waiting (Ctrl-C ends it)", "Todavía nada de {0}; se sigue esperando (Ctrl-C lo termina)"),
	SAME(SSH_SAYS, "{0}: {1}"),
	T(SSH_NONE, "There is no ssh on this device; nothing was changed", "En este equipo no está ssh; no se cambió nada"),
	T(HINT_SSH_NONE, "Install it (Debian: apt install openssh-client), or use a stick.", "Instálalo (Debian: apt install openssh-client), o usa una memoria USB."),
	T(SSH_FAILED, "ssh did not get to {0}; nothing was changed", "ssh no llegó a {0}; no se cambió nada"),
	T(HINT_SSH_FAILED, "Its reason stands above. Try by hand: ssh {1} true", "El motivo está arriba. Prueba a mano: ssh {1} true"),
	T(SSH_NO_VEREDA, "ssh got to {0}, and found no vereda there; nothing was changed", "ssh llegó a {0}, y allá no encontró vereda; no se cambió nada"),
	T(HINT_SSH_NO_VEREDA, "Install vereda there, where programs run by ssh are looked for, such as /usr/local/bin. To see: ssh {1} vereda version",
	  "Instala vereda allá, donde se buscan los programas que ejecuta ssh, como /usr/local/bin. Para ver: ssh {1} vereda version"),
	T(SSH_OLD, "The vereda at {0} does not know \"sync --stdio\"; nothing was changed", "La vereda de {0} no conoce \"sync --stdio\"; no se cambió nada"),
	T(HINT_SSH_OLD, "Install a newer vereda there.", "Instala allá una vereda más nueva."),
	T(SSH_NO_STORE, "vereda runs at {0}, and that account has no store there; nothing was changed",
	  "vereda corre en {0}, y esa cuenta no tiene almacén allá; no se cambió nada"),
	T(HINT_SSH_NO_STORE, "Use the account that keeps the store: ssh://USER@HOST", "Usa la cuenta que guarda el almacén: ssh://USUARIO@EQUIPO"),
	T(SSH_BUSY, "The store at {0} is in use by another program; nothing was changed", "El almacén de {0} lo está usando otro programa; no se cambió nada"),
	T(SSH_LOCKED, "The store at {0} is locked; nothing was changed", "El almacén de {0} está cerrado; no se cambió nada"),
	T(HINT_SSH_LOCKED, "Open it there first, where veredad runs: ssh -t {1} vereda unlock", "Ábrelo allá primero, donde corre veredad: ssh -t {1} vereda unlock"),
	T(SYNC_FULL, "There was no room for everything on {0}. Records that stayed here: {1} ({2}). {3}",
	  "No hubo espacio para todo en {0}. Registros que se quedaron aquí: {1} ({2}). {3}"),
	T(HINT_SYNC_FULL, "It can travel as it is: what is on it arrives. For the rest use a stick with more room, or free some on this one.",
	  "Puede viajar así: lo que lleva llegará. Para el resto usa una memoria con más espacio, o libera espacio en esta."),
	T(HINT_SYNC_FULL_REST, "Free some room on it and sync again, or use a stick with more room.", "Libera espacio en ella y repite sync, o usa una memoria con más espacio."),
	T(SYNC_WENT, "What is most urgent went first; nothing is lost", "Lo más urgente salió primero; no se perdió nada"),
	T(SYNC_WENT_NOTHING, "Nothing was put on it; nothing is lost", "No se le puso nada; no se perdió nada"),
	T(SYNC_NO_ALERT, "An ALERT did not fit: do not count on this stick for it", "Una ALERTA no cupo: no cuentes con esta memoria para ella"),
	T(SYNC_NO_ALERT_NOTHING, "An ALERT did not fit, and nothing was put on it: do not count on this stick for it",
	  "Una ALERTA no cupo, y no se le puso nada: no cuentes con esta memoria para ella"),
	T(SYNC_AT_MAX, "{0} holds as much as --max allows. Records that stayed here: {1} ({2}). {3}",
	  "{0} tiene tanto como permite --max. Registros que se quedaron aquí: {1} ({2}). {3}"),
	T(HINT_SYNC_AT_MAX, "It can travel as it is: what is on it arrives. For the rest allow more with --max, or use another stick.",
	  "Puede viajar así: lo que lleva llegará. Para el resto permite más con --max, o usa otra memoria."),
	T(HINT_SYNC_AT_MAX_REST, "Allow more with --max, or use another stick.", "Permite más con --max, o usa otra memoria."),
	T(SYNC_MAX, "{0} is no size, or less than {1}; nothing was changed", "{0} no es un tamaño, o es menos de {1}; no se cambió nada"),
	T(SYNC_MAX_FOLDER, "--max is for sticks and other folders, with the store unlocked; nothing was changed",
	  "--max es para memorias y otras carpetas, con el almacén abierto; no se cambió nada"),
	T(HINT_SYNC_MAX, "Write it as vereda sync /media/usb --max 500M", "Escríbelo como vereda sync /media/usb --max 500M"),
	T(SYNC_SPARED, "Left out of {0}, for want of room: {1} records that every device of your groups is known to have",
	  "No están en {0}, por falta de espacio: {1} registros que, según consta, ya tienen todos los equipos de tus grupos"),
	T(SYNC_FOREIGN, "Files there that are not for this device: {0}", "Archivos que no son para este equipo: {0}"),
	T(EXPORT_FAILED, "The bundle {0} could not be written", "No se pudo escribir el archivo {0}"),
	T(EXPORT_OUT_FAILED, "The bundle could not be written to standard output", "No se pudo escribir el archivo sellado en la salida estándar"),
	T(EXPORT_READER_GONE, "Whoever read the pipe went away before the end, so what they have is not whole. On this device nothing is lost or changed",
	  "Quien leía la tubería se fue antes del final, así que lo que recibió no está completo. En este equipo no se perdió ni se cambió nada"),
	T(HINT_EXPORT_READER_GONE, "See what the command after the pipe said, then run both again. What arrived whole there is not stored twice.",
	  "Mira qué dijo la orden que sigue a la tubería y repite las dos. Lo que allá llegó completo no se guarda dos veces."),
	T(EXPORT_TTY, "A bundle is no text and will not be written to a terminal", "Un archivo sellado no es texto y no se escribe en la terminal"),
	T(HINT_EXPORT_TTY, "Name a file: vereda export all.bundle", "Nombra un archivo: vereda export todo.bundle"),
	T(EXPORT_DONE, "Records in {2}: {0} ({1} bytes), membership counted. Only those of the group who have its present keys can open it.",
	  "Registros en {2}: {0} ({1} bytes), contando los de integrantes. Solo pueden abrirlo quienes tienen las llaves actuales del grupo."),
	T(EXPORT_WITHOUT, "{0} members are not known to have the present keys yet, and may not be able to open it: {1}. A stick that was synced here brings them, or for each: vereda export FILE --for NAME",
	  "No se sabe que {0} integrantes ya tengan las llaves actuales, y quizá no puedan abrirlo: {1}. Se las lleva una memoria USB intercambiada aquí, o para cada quien: vereda export ARCHIVO --for NOMBRE"),
	T(EXPORT_WITHOUT_ONE, "1 member is not known to have the present keys yet, and may not be able to open it: {1}. A stick that was synced here brings them, or: vereda export FILE --for NAME",
	  "No se sabe que 1 integrante ya tenga las llaves actuales, y quizá no pueda abrirlo: {1}. Se las lleva una memoria USB intercambiada aquí, o: vereda export ARCHIVO --for NOMBRE"),
	T(SYNC_UNREADABLE, "Records of this device's store are damaged and did not go to {0}; all others did, and what arrived is stored",
	  "Hay registros dañados en el almacén de este equipo y no pasaron a {0}; los demás sí, y lo que llegó está guardado"),
	T(DAEMON_DAMAGED, "Records of this store are damaged: veredad could not hand them on", "Hay registros dañados en este almacén: veredad no los pudo entregar"),
	T(EXPORT_UNREADABLE, "Records of this device's store are damaged and not in {0}; all others are",
	  "Hay registros dañados en el almacén de este equipo que no están en {0}; todos los demás sí"),
	T(EXPORT_EXISTS, "{0} is there already, and it stays as it is; nothing was written",
	  "{0} ya existe y queda como está; no se escribió nada"),
	T(HINT_EXPORT_EXISTS, "Name another file, or repeat with --yes to put the new one in its place.",
	  "Nombra otro archivo, o repite con --yes para poner el nuevo en su lugar."),
	T(EXPORT_ONLY_MEMBERSHIP, "Only who is in the group stands in {0}: no record is of what was asked for.",
	  "En {0} solo va quién está en el grupo: ningún registro es de lo que se pidió."),
	T(EXPORT_VOLUMES, "Files: {0}, from {1}.001 on. Each can be taken in alone, in any order; who has taken in some is told which are lacking.",
	  "Archivos: {0}, desde {1}.001. Cada uno se puede recibir solo, en cualquier orden; a quien recibió algunos se le dice cuáles faltan."),
	T(EXPORT_VOLUMES_PIPE, "Volumes are files, and cannot go to standard output; nothing was written",
	  "Los volúmenes son archivos y no pueden ir a la salida estándar; no se escribió nada"),
	T(EXPORT_VOLUMES_SIZE, "{0} is no size of volumes, or less than {1}; nothing was written", "{0} no es un tamaño de volúmenes, o es menos de {1}; no se escribió nada"),
	T(EXPORT_VOLUMES_MANY, "There would be more than {0} volumes; nothing was written", "Serían más de {0} volúmenes; no se escribió nada"),
	T(HINT_EXPORT_VOLUMES, "Say how large one may be: --volumes 20M", "Di qué tan grande puede ser cada uno: --volumes 20M"),
	T(EXPORT_VOLUMES_UNDONE, "Volumes that were written already, and were removed again: {0}. Whoever tries again makes a new set, from the first one on.",
	  "Volúmenes que ya estaban escritos y se volvieron a quitar: {0}. Quien repite hace un juego nuevo, desde el primero."),
	T(EXPORT_VOLUMES_OLDER, "Volumes of an older set under this name, which had more of them, were removed: {0}.",
	  "Se quitaron los volúmenes que sobraban de un juego anterior con este nombre: {0}."),
	T(EXPORT_VOLUMES_BESIDE, "{0} is not of this set, and was left, as it is no volume that this device can open: do not pass it on with the others.",
	  "{0} no es de este juego, y se dejó ahí porque no es un volumen que este equipo pueda abrir: no lo pases con los demás."),
	T(EXPORT_KNOWN, "Left out, as {1} is known to have them: {0}. If they lost a device or went back to a backup: --all",
	  "Se dejaron fuera, porque se sabe que {1} los tiene: {0}. Si perdió un equipo o volvió a un respaldo: --all"),
	T(EXPORT_QR_ALONE, "--qr shows one record and goes with no other choice; nothing was done", "--qr muestra un solo registro y no va con otra elección; no se hizo nada"),
	T(SLIP_CODE, "Code {0} of {1}", "Código {0} de {1}"),
	T(SLIP_DONE, "Only the group can read it. There: vereda import --text, and scan each code, or type what stands under it.",
	  "Solo el grupo puede leerlo. Allá: vereda import --text, y escanea cada código o escribe lo que está debajo."),
	T(SLIP_STUB, "What record {0} says is not on this device", "Lo que dice el registro {0} no está en este equipo"),
	T(HINT_SLIP_STUB, "Sync with somebody who has it.", "Haz un intercambio con quien lo tenga."),
	T(SLIP_REDACTED, "Record {0} was taken back: it is hidden, and does not go onto paper", "El registro {0} fue retirado: está oculto y no pasa a papel"),
	T(HINT_SLIP_REDACTED, "Nothing is lost. vereda show {0} says who took it back.", "No se pierde nada. vereda show {0} dice quién lo retiró."),
	T(SLIP_LARGE, "Record {0} is too long for paper: more than {1} bytes", "El registro {0} es demasiado largo para papel: más de {1} bytes"),
	T(HINT_SLIP_LARGE, "Write what is urgent in a short record of its own: vereda alert TEXT. Or carry the whole one in a file: vereda export FILE",
	  "Escribe lo urgente en un registro corto aparte: vereda alert TEXTO. O lleva todo en un archivo: vereda export ARCHIVO"),
	T(SLIP_FAILED, "Record {0} could not be shown as codes", "No se pudo mostrar el registro {0} como códigos"),
	T(SLIP_ASK, "Scan or type the codes, in any order, line by line, an empty line after each. It ends by itself when a record is complete; or end it with Ctrl-D.",
	  "Escanea o escribe los códigos, en cualquier orden, línea por línea, con una línea vacía después de cada uno. Termina solo cuando un registro está completo; o termina con Ctrl-D."),
	T(SLIP_PROMPT, "code> ", "código> "),
	T(SLIP_READ, "Codes of this record: {0} of {1}", "Códigos de este registro: {0} de {1}"),
	T(SLIP_MISREAD, "That code could not be read: compare it with the paper, and type it again.",
	  "Ese código no se pudo leer: compáralo con el papel y escríbelo otra vez."),
	T(SLIP_MISREAD_AT, "Could not be read: what begins with {0}, line {1}", "No se pudo leer: lo que empieza con {0}, línea {1}"),
	T(SLIP_MISSING, "Of a record in {0} codes these are missing: {1}", "De un registro en {0} códigos faltan estos: {1}"),
	T(SLIP_NONE, "There is no code in that text; nothing was changed", "No hay ningún código en ese texto; no se cambió nada"),
	T(HINT_SLIP_NONE, "Scan with any app that gives the text of a QR code, or type the letters and digits that stand under it.",
	  "Escanea con cualquier aplicación que dé el texto del código QR, o escribe las letras y cifras que están debajo."),
	T(SLIP_UNREAD_ALL, "No code could be read ({0} tried): mistyped, for another group, or made with keys that this device does not have; nothing was changed",
	  "No se pudo leer ningún código (intentos: {0}): mal escritos, de otro grupo o hechos con llaves que este equipo no tiene; no se cambió nada"),
	T(SLIP_UNREAD, "Codes that could not be read: {0}; the others are stored", "Códigos que no se pudieron leer: {0}; los demás se guardaron"),
	T(SLIP_UNREAD_INCOMPLETE, "Codes that could not be read: {0}. Records of which codes are lacking, perhaps those: {1}; nothing of them is stored",
	  "Códigos que no se pudieron leer: {0}. Registros a los que les faltan códigos, quizá esos: {1}; no se guardó nada de ellos"),
	T(HINT_SLIP_UNREAD, "Compare them with the paper, letter by letter. A blank line between codes helps. If they are right, ask for newer keys: sync with a coordinator.",
	  "Compáralos con el papel, letra por letra. Una línea vacía entre códigos ayuda. Si están bien, faltan llaves nuevas: haz un intercambio con tu coordinación."),
	T(SLIP_REFUSED, "Records on paper that are not valid and were refused: {0}", "Registros en papel que no son válidos y se rechazaron: {0}"),
	T(HINT_SLIP_REFUSED, "Tell your coordinator who gave you the paper: it may hold forged records.",
	  "Avisa a tu coordinación quién te dio el papel: puede tener registros falsificados."),
	T(SLIP_INCOMPLETE, "Records of which codes are missing: {0}; nothing of them is stored", "Registros a los que les faltan códigos: {0}; no se guardó nada de ellos"),
	T(HINT_SLIP_INCOMPLETE, "Repeat with all the codes of the record together; the order does not matter.",
	  "Repite con todos los códigos del registro juntos; el orden no importa."),
	T(IMPORT_VOLUMES, "Of {0} volumes that were made together, {2} among them, these are lacking: {1}. What came is stored; import those when you have them.",
	  "De {0} volúmenes hechos juntos, entre ellos {2}, faltan estos: {1}. Lo que llegó está guardado; importa esos cuando los tengas."),
	T(IMPORT_VOLUMES_DRY, "Of {0} volumes that were made together, {2} among them, these would still be lacking: {1}.",
	  "De {0} volúmenes hechos juntos, entre ellos {2}, todavía faltarían estos: {1}."),
	T(IMPORT_VOLUME_UNNOTED, "It could not be noted which volume this was; its records are stored.",
	  "No se pudo anotar qué volumen era este; sus registros están guardados."),
	T(EXPORT_FOR_DONE, "Records in {2}: {0} ({1} bytes), membership counted. Only {3} can open it, this device, and who holds a paper key of the group.",
	  "Registros en {2}: {0} ({1} bytes), contando los de integrantes. Solo pueden abrirlo {3}, este equipo y quien tenga una llave en papel del grupo."),
	T(EXPORT_FOR_REMOVED, "{0} is no longer in the group, so no bundle is made for them; nothing was written",
	  "{0} ya no está en el grupo: no se hace ningún archivo para esa persona; no se escribió nada"),
	T(HINT_EXPORT_FOR_REMOVED, "See who is in the group: vereda members. If they should be in again, a coordinator admits them: vereda admit.",
	  "Mira quién está en el grupo: vereda members. Si debe volver a estar, lo admite alguien que coordine: vereda admit."),
	T(EXPORT_FOR_MANY, "{0} has more devices than one bundle has room for ({1}); nothing was written",
	  "{0} tiene más equipos de los que caben en un archivo ({1}); no se escribió nada"),
	T(HINT_EXPORT_FOR_MANY, "A coordinator removes those no longer in use: vereda revoke. Or make one for the whole group, without --for.",
	  "Alguien que coordine retira los que ya no se usan: vereda revoke. O haz uno para todo el grupo, sin --for."),
	T(IMPORT_FAILED, "{0} could not be taken in", "No se pudo recibir {0}"),
	T(IMPORT_TORN, "The end of {0} is missing; the records that were whole are stored ({1})", "A {0} le falta el final; los registros que estaban completos se guardaron ({1})"),
	T(HINT_IMPORT_TORN, "Copy it again whole and repeat: it adds what is missing.", "Cópialo otra vez completo y repite: agrega lo que falta."),
	T(IMPORT_DAMAGED, "{0} is damaged: parts refused: {2} of {3} ({4} bytes); the records that were whole are stored ({1})",
	  "{0} está dañado: partes rechazadas: {2} de {3} ({4} bytes); los registros que estaban completos se guardaron ({1})"),
	T(HINT_IMPORT_DAMAGED, "Ask for a fresh copy. If it happens again by the same route, someone may be changing files on the way.",
	  "Pide una copia nueva. Si vuelve a pasar por la misma vía, puede que alguien esté alterando los archivos en el camino."),
	T(IMPORT_HEAD, "The beginning or the end of {0} was changed; all records in it are whole and stored ({1})",
	  "El principio o el final de {0} fue alterado; todos sus registros están completos y guardados ({1})"),
	T(HINT_IMPORT_HEAD, "Nothing is lost. Make a fresh copy before you pass it on: one more damage and it may not open.",
	  "No se perdió nada. Haz una copia nueva antes de pasarlo: con otro daño podría no abrir."),
	T(IMPORT_NOT_OURS, "{0} does not open with any key of this device: it is for somebody else, for another group, or no bundle; nothing was changed",
	  "{0} no abre con ninguna llave de este equipo: es para otra persona, de otro grupo, o no es un archivo de vereda; no se cambió nada"),
	T(HINT_IMPORT_NOT_OURS,
	  "Check that it is the right file. If it is a welcome, use vereda join. If you were away, keys may be new: sync first, or ask for one made with --for and your name.",
	  "Revisa que sea el archivo correcto. Si es una bienvenida, usa vereda join. Si estuviste lejos, puede haber llaves nuevas: sincroniza primero, o pide uno hecho con --for y tu nombre."),
	T(IMPORT_NO_BUNDLE, "{0} is empty or too short to be a bundle; nothing was changed", "{0} está vacío o es demasiado corto; no se cambió nada"),
	T(HINT_IMPORT_NO_BUNDLE, "It was not copied whole. Ask for it again.", "No se copió completo. Pídelo otra vez."),
	T(HINT_IMPORT_NOT_OURS_PIPE, "Check that it is the right one. If it may have been damaged, save it as a file and import that: from a file all that is whole is taken.",
	  "Revisa que sea lo correcto. Si pudo dañarse, guárdalo como archivo e impórtalo: de un archivo se recibe todo lo que está entero."),
	T(IMPORT_RESERVE, "{0} is larger than what this device's disk has room for beside what is kept free of it (reserve); nothing was taken in",
	  "{0} es más grande que el espacio que queda en el disco de este equipo sin gastar la reserva; no se recibió nada"),
	T(HINT_IMPORT_RESERVE, "Free some space on this device's disk, or save it as a file on another disk or stick and import that: a file is not copied first.",
	  "Libera espacio en el disco de este equipo, o guárdalo como archivo en otro disco o memoria USB e impórtalo de allí: un archivo no se copia antes."),
	T(HINT_IMPORT_PIPE, "The command before the pipe may have failed, or the connection broke: see what it said, then run both again. That adds what is missing.",
	  "Puede que la orden antes de la tubería haya fallado, o que se cortara la conexión: mira qué dijo y repite las dos. Así se agrega lo que falta."),
	T(IMPORT_REFUSED, "Records in {0} that are not valid and were refused: {1}; all the others are stored",
	  "Registros de {0} que no son válidos y se rechazaron: {1}; todos los demás están guardados"),
	T(HINT_IMPORT_REFUSED, "Tell your coordinator who made the file: it may hold forged records.", "Avisa a tu coordinación quién hizo el archivo: puede tener registros falsificados."),
	T(IMPORT_DONE, "New: {0}. Known already: {1}. Refused: {2}.", "Nuevos: {0}. Ya conocidos: {1}. Rechazados: {2}."),
	T(IMPORT_DRY, "Would be new: {0}. Known already: {1}. Refused: {2}. Nothing was changed.",
	  "Serían nuevos: {0}. Ya conocidos: {1}. Rechazados: {2}. No se cambió nada."),
	T(IMPORT_TORN_DRY, "The end of {0} is missing; records in it that are whole: {1}. Nothing was changed",
	  "A {0} le falta el final; registros completos que trae: {1}. No se cambió nada"),
	T(IMPORT_DAMAGED_DRY, "{0} is damaged: parts that would be refused: {2} of {3} ({4} bytes); records in it that are whole: {1}. Nothing was changed",
	  "{0} está dañado: partes que se rechazarían: {2} de {3} ({4} bytes); registros completos que trae: {1}. No se cambió nada"),
	T(IMPORT_HEAD_DRY, "The beginning or the end of {0} was changed; all records in it are whole ({1}). Nothing was changed here",
	  "El principio o el final de {0} fue alterado; todos sus registros están completos ({1}). Aquí no se cambió nada"),
	T(IMPORT_REFUSED_DRY, "Records in {0} that are not valid and would be refused: {1}. Nothing was changed",
	  "Registros de {0} que no son válidos y se rechazarían: {1}. No se cambió nada"),
	T(IMPORT_BEHIND,
	  "More stands in {0} behind the end of the first bundle: {2} bytes, which were not taken in. The first is whole and its records are stored ({1})",
	  "En {0} hay más después del final del primer archivo: {2} bytes que no se recibieron. El primero está completo y sus registros están guardados ({1})"),
	T(IMPORT_BEHIND_DRY,
	  "More stands in {0} behind the end of the first bundle: {2} bytes, which would not be taken in. The first is whole ({1} records). Nothing was changed",
	  "En {0} hay más después del final del primer archivo: {2} bytes que no se recibirían. El primero está completo ({1} registros). No se cambió nada"),
	T(IMPORT_BEHIND_TOO, "More stands in {0} behind the end of the first bundle, and none of it is taken in ({1} bytes). Give several bundles as files of their own.",
	  "En {0} hay más después del final del primer archivo, y nada de eso se recibe ({1} bytes). Si son varios, da cada uno por separado."),
	T(HINT_IMPORT_BEHIND, "If bundles or volumes were joined in it, give them as they were made, each as a file: vereda import FILE FILE...",
	  "Si ahí se juntaron varios archivos o volúmenes, dalos como se hicieron, cada uno aparte: vereda import ARCHIVO ARCHIVO..."),
	T(IMPORT_STOPPED, "Interrupted; what was taken in until then is safely stored and stays", "Se interrumpió; lo recibido hasta ahí está bien guardado y se queda"),
	T(IMPORT_STOPPED_DRY, "Interrupted; nothing was changed", "Se interrumpió; no se cambió nada"),
	T(HINT_IMPORT_STOPPED, "Give the same command again: it goes on with what is missing.", "Repite la misma orden: sigue con lo que falta."),
	T(IMPORT_POOLED, "Records by people this device does not know yet: {0}; they are kept aside until their admission arrives.",
	  "Registros de personas que este equipo aún no conoce: {0}; quedan aparte hasta que llegue su admisión."),
	T(IMPORT_DECLINED,
	  "Records in {0} by people this device does not know yet, and too many to keep aside: {1}. They were not taken; all else was",
	  "Registros de {0} de personas que este equipo aún no conoce, demasiados para guardar aparte: {1}. No se recibieron; todo lo demás, sí"),
	T(HINT_IMPORT_DECLINED, "Keep the file, and import it again after their admission.", "Guarda el archivo e impórtalo otra vez después de su admisión."),
	T(IMPORT_OVER_SHARE,
	  "Records of {2} in {0} that were not taken: {1}. Their share of this device's disk is used up. All else was taken",
	  "Registros de {2} en {0} que no se recibieron: {1}. Se agotó su parte del disco de este equipo. Todo lo demás se recibió"),
	T(HINT_IMPORT_OVER_SHARE,
	  "If they are wanted, allow more (vereda config set share.records NUMBER), then import the file again. If one person writes that much, ask them in person.",
	  "Si los quieres, permite más (vereda config set share.records NÚMERO); después importa el archivo otra vez. Si una sola persona escribe tanto, pregúntale en persona."),
	T(IMPORT_GAPS, "Before some of the new records earlier ones are still missing, in {0} places: one or many in each. A sync brings them.",
	  "Antes de algunos de los registros nuevos todavía faltan otros, en {0} lugares: uno o muchos en cada uno. Un intercambio los trae."),
	T(IMPORT_GAPS_ONE, "Before one of the new records earlier ones are still missing: one or many. A sync brings them.",
	  "Antes de uno de los registros nuevos todavía faltan otros: uno o muchos. Un intercambio los trae."),

	/* state */
	T(STATUS_FAILED, "The state could not be read", "No se pudo leer el estado"),
	T(STATUS_DEVICE, "Device {0} ({1}) in {2}", "Equipo {0} ({1}) en {2}"),
	T(STATUS_STORE, "Store: {0} records, {1} KiB", "Almacén: {0} registros, {1} KiB"),
	T(STATUS_GROUP, "Group {0} ({1}): you are {2}; members: {3}", "Grupo {0} ({1}): tienes el papel de {2}; integrantes: {3}"),
	T(STATUS_LANE, "  {0}: {1} records, digest {2}", "  {0}: {1} registros, resumen {2}"),
	T(STATUS_DAEMON, "veredad is running.", "veredad está corriendo."),
	T(STATUS_LISTEN_ANY, "  others reach it at any address of this device, port {0}",
	  "  los demás lo encuentran en cualquier dirección de este equipo, puerto {0}"),
	T(STATUS_LISTEN, "  others reach it at {0}",
	  "  los demás la encuentran en {0}"),
	T(STATUS_NO_DAEMON, "veredad is not running: nothing is exchanged by itself.", "veredad no está corriendo: nada se intercambia por sí solo."),
	SAME(STATUS_PEER, "  {0}  {1}  {2}"),
	T(STATUS_PEER_DECLINES, "    takes no more records of: {0}. Their share of that device's disk is used up; whoever keeps it can allow more",
	  "    ya no recibe registros de: {0}. Se agotó su parte del disco de ese equipo; quien lo cuida puede permitir más"),
	T(STATUS_NO_PEERS, "  nobody is connected right now", "  nadie está conectado en este momento"),
	T(STATUS_STICK, "Stick {0}: last seen {1}", "Memoria {0}: vista por última vez el {1}"),
	T(STATUS_STICK_ALL, "Stick {0}: last seen {1}; then it had all that is here now", "Memoria {0}: vista por última vez el {1}; entonces tenía todo lo que hay aquí ahora"),
	T(STATUS_WALLS, "  Walls: all stand. A fault in veredad would give away little.",
	  "  Muros: todos en pie. Una falla en veredad revelaría poco."),
	T(STATUS_WALLS_MISSING, "  Walls: missing here: {0}. veredad works and loses nothing, but a fault in it would give away more. vereda doctor says what raises each.",
	  "  Muros: aquí faltan: {0}. veredad funciona y no pierde nada, pero una falla en él revelaría más. vereda doctor dice qué levanta cada uno."),
	T(WALL_CORE, "no memory written to disk in a crash", "que un fallo no escriba la memoria al disco"),
	T(WALL_RIGHTS, "no new rights for what it starts", "que nada obtenga nuevos permisos"),
	T(WALL_ROOT, "none of root's rights (its folder must stand where its own user may go)", "ningún permiso de root (su carpeta debe estar donde su propia cuenta pueda entrar)"),
	T(WALL_FILES, "only its own files (Landlock)", "solo sus propios archivos (Landlock)"),
	T(WALL_CALLS, "only the system calls it needs (seccomp)", "solo las llamadas al sistema que necesita (seccomp)"),
	T(WALL_PARSER, "files of others read apart (seccomp)", "archivos ajenos leídos aparte (seccomp)"),
	T(WALL_SWAP, "keys kept out of the swap", "claves fuera del área de intercambio"),
	T(WARN_READABLE, "The store is not locked by a passphrase: whoever holds this disk can read it.",
	  "El almacén no está cerrado con contraseña: quien tenga este disco puede leerlo."),
	T(WARN_NO_GROUP, "This device is in no group yet: show vereda id to a coordinator, or found one with vereda group create NAME.",
	  "Este equipo todavía no está en ningún grupo: muestra vereda id a la coordinación, o funda uno con vereda group create NOMBRE."),
	T(WARN_ALONE, "A group has no other member yet: what is written there exists only on this device.",
	  "Un grupo todavía no tiene a nadie más: lo que se escribe ahí existe solo en este equipo."),
	T(WARN_ELSEWHERE,
	  "Records came in under this device's name that it did not write: it was restored from a backup, or somebody has a copy of it. "
	  "Nothing is lost, and you can go on writing. If you did not restore it yourself, tell your coordinator now: whoever holds the "
	  "copy reads the group and writes in your name.",
	  "Llegaron registros a nombre de este equipo que no se escribieron aquí: se restauró de un respaldo, o alguien tiene una copia. "
	  "No se perdió nada y puedes seguir escribiendo. Si no lo restauraste tú, avisa ya a tu coordinación: quien tenga la copia lee "
	  "lo del grupo y escribe en tu nombre."),
	T(WARNING, "Warning: {0}", "Advertencia: {0}"),
	T(WARN_CLOCK, "This device's clock says {0}, which cannot be: what is written now bears that time. Set it with: date",
	  "El reloj de este equipo dice {0}, y no puede ser: lo que se escriba ahora llevará esa hora. Ajústalo con: date"),
	T(WARN_CLOCKS, "This device's clock says {0}, but the last word of others, {2}'s, is from {1}. If this clock is wrong, set it (date): what is written now bears its time.",
	  "El reloj de este equipo dice {0}, pero lo último que se supo de los demás, de {2}, es del {1}. Si este reloj está mal, ajústalo (date): lo que se escriba ahora llevará su hora."),
	T(EXPIRES_CLOCK, "{0} An end that is signed by a wrong clock comes too early or too late; nothing was stored",
	  "{0} Un plazo firmado con un reloj equivocado llega antes o después de tiempo; no se guardó nada"),
	T(HINT_EXPIRES_CLOCK, "Set the clock, for example with: date -s \"2026-03-01 18:00\"   (as root), or leave out --expires. If the clock is right: the same with --yes.",
	  "Ajusta el reloj, por ejemplo con: date -s \"2026-03-01 18:00\"   (como root), o quita --expires. Si el reloj está bien: lo mismo con --yes."),
	T(CLOCK_UNSET, "This device's clock stands before 1970, a time that no record can bear; nothing was stored",
	  "El reloj de este equipo está antes de 1970, una hora que ningún registro puede llevar; no se guardó nada"),
	T(HINT_CLOCK, "Set it, for example with: date -s \"2026-03-01 18:00\"   (as root), then run the same command again.",
	  "Ajústalo, por ejemplo con: date -s \"2026-03-01 18:00\"   (como root), y repite la misma orden."),
	T(CHECK_FAILED, "The check could not be finished", "No se pudo terminar la verificación"),
	T(CHECK_GOOD, "{0} records verified; everything is as it should be.", "{0} registros verificados; todo está como debe."),
	T(CHECK_BAD, "Of {0} records {1} are not what was signed, and {2} derived entries do not match",
	  "De {0} registros, {1} no son lo que se firmó, y {2} datos derivados no coinciden"),
	T(HINT_CHECK_BAD, "Copy the store's folder to another disk, then run: vereda check --repair   and sync with others to get back what is missing.",
	  "Copia la carpeta del almacén a otro disco y ejecuta: vereda check --repair   Después intercambia con otros para recuperar lo que falte."),
	T(CHECK_REPAIRED, "{0} records verified; repaired: {1}. Dropped because they were not what was signed: {2}.",
	  "{0} registros verificados; reparados: {1}. Quitados porque no eran lo que se firmó: {2}."),
	T(CHECK_LOST, "Records lost here, as far as can be told: {0}. Of these {1} are this device's own",
	  "Registros perdidos aquí, hasta donde se puede saber: {0}. De estos, {1} son de este mismo equipo"),
	T(HINT_CHECK_LOST, "Whoever has them brings them back with a sync. What nobody else has is gone.",
	  "Quien los tenga los trae de vuelta con un intercambio. Lo que nadie más tenga se perdió."),
	T(VERSION, "vereda {0}, protocol {1}", "vereda {0}, protocolo {1}"),
	SAME(VERSION_LIBRARY, "  {0} {1}"),

	/* who may do what */
	T(SUM_REVOKE, "take a member or a device out of the group", "retirar a una persona o un equipo del grupo"),
	T(HELP_REVOKE,
	  "Examples:\n"
	  "  vereda revoke Beto --reason \"phone taken at the checkpoint\"\n"
	  "  vereda revoke Beto --device 3fa2c1\n"
	  "  vereda revoke 3fa2c1\n\n"
	  "A name removes the member with all devices; the first digits of a key remove that device alone. New keys are made for those who stay.\n"
	  "What they wrote before, as far as it is here, stays. What comes later under their name is kept aside (quarantine) until a coordinator\n"
	  "looks at it; nothing is deleted. They keep what they have read. Asks for the name to be typed.\n\n"
	  "  --device KEY         only that device of the member\n"
	  "  --reason TEXT        members can read it\n"
	  "  --undo ID            do not accept that act of theirs, nor what they did after it as a coordinator\n"
	  "  --keep               accept all they did. Without it, if they removed a coordinator on their own in the last 30 days, that and\n"
	  "                       what followed is not accepted, and what they hid of others' records in that time is shown again\n"
	  "  --yes                do not ask",
	  "Ejemplos:\n"
	  "  vereda revoke Beto --reason \"le quitaron el celular en el retén\"\n"
	  "  vereda revoke Beto --device 3fa2c1\n"
	  "  vereda revoke 3fa2c1\n\n"
	  "Un nombre retira a la persona con todos sus equipos; las primeras cifras de una llave retiran solo ese equipo. Se hacen llaves nuevas\n"
	  "para quienes se quedan. Lo que escribió antes y está aquí, se queda. Lo que llegue después a su nombre se guarda aparte (cuarentena)\n"
	  "hasta que la coordinación lo mire; no se borra nada. Conserva lo que ya leyó. Pide escribir el nombre.\n\n"
	  "  --device LLAVE       solo ese equipo de la persona\n"
	  "  --reason TEXTO       lo pueden leer los integrantes\n"
	  "  --undo ID            no aceptar ese acto suyo, ni lo que hizo después como coordinación\n"
	  "  --keep               aceptar todo lo que hizo. Sin esto, si retiró por su cuenta a alguien de la coordinación en los últimos 30\n"
	  "                       días, eso y lo que siguió no se acepta, y lo que ocultó de otras personas en ese tiempo se vuelve a mostrar\n"
	  "  --yes                no preguntar"),
	T(SUM_REVIEW, "decide about a record in quarantine", "decidir sobre un registro en cuarentena"),
	T(HELP_REVIEW,
	  "Examples:\n"
	  "  vereda list --quarantined\n"
	  "  vereda review 3fa2c1 --accept\n"
	  "  vereda review 3fa2c1 9b04de --leave\n\n"
	  "For coordinators: what came under the name of somebody who was removed, or was accepted with the removal. The decision goes to everyone.\n\n"
	  "  --accept             it counts, and everyone sees it\n"
	  "  --leave              it stays in quarantine, or goes there; nothing is deleted",
	  "Ejemplos:\n"
	  "  vereda list --quarantined\n"
	  "  vereda review 3fa2c1 --accept\n"
	  "  vereda review 3fa2c1 9b04de --leave\n\n"
	  "Para la coordinación: lo que llegó a nombre de alguien que fue retirado, o se aceptó al retirarlo. La decisión llega a todos.\n\n"
	  "  --accept             vale, y todos lo ven\n"
	  "  --leave              se queda en cuarentena, o pasa a ella; no se borra nada"),
	T(SUM_APPROVE, "back another coordinator's act", "respaldar un acto de otra coordinación"),
	T(HELP_APPROVE,
	  "Examples:\n"
	  "  vereda status\n"
	  "  vereda approve 3fa2c1\n\n"
	  "A second coordinator's word about an act that status shows, by the first digits of its id. Two coordinators together outrank any single\n"
	  "one: that is how a group takes back what somebody with a stolen key did. Speak to the other coordinator first, face to face if you can.",
	  "Ejemplos:\n"
	  "  vereda status\n"
	  "  vereda approve 3fa2c1\n\n"
	  "La palabra de una segunda coordinación sobre un acto que muestra status, por las primeras cifras de su identificador. Dos juntas pesan\n"
	  "más que cualquiera sola: así recupera el grupo lo que hizo alguien con una llave robada. Habla antes con la otra, en persona si puedes."),
	T(SUM_RESTORE, "give a removed member the role back", "devolver su papel a quien fue retirado"),
	T(HELP_RESTORE,
	  "Examples:\n"
	  "  vereda restore Carla\n"
	  "  vereda restore 3fa2c1\n\n"
	  "Gives a removed member, or one removed device, the role it had. What they wrote meanwhile comes out of quarantine. Where somebody of\n"
	  "higher standing removed them, a second coordinator has to approve it; then the command to type is shown.\n"
	  "Lets in whom somebody admitted who had been removed by then, too (status names them), by your own word: be sure you know them.",
	  "Ejemplos:\n"
	  "  vereda restore Carla\n"
	  "  vereda restore 3fa2c1\n\n"
	  "Devuelve a una persona retirada, o a un equipo retirado, el papel que tenía. Lo que escribió entretanto sale de la cuarentena. Si la retiró\n"
	  "alguien con más antigüedad, una segunda coordinación tiene que aprobarlo; entonces se muestra la orden que debe escribir.\n"
	  "También deja entrar, por tu propia palabra, a quien admitió alguien ya retirado (status los nombra): asegúrate de conocerle."),
	T(SUM_DOCTOR, "what is not as it should be, and what to do", "qué no está bien, y qué hacer"),
	T(HELP_DOCTOR,
	  "Examples:\n"
	  "  vereda doctor\n"
	  "  vereda doctor --json\n"
	  "  vereda doctor --bundle report.json     for whoever helps you: no name, key, place, time or word of anybody\n\n"
	  "Looks at this device and its groups: copies of devices, coordinators and keys, the clock, the disk, the age of the backup, who is silent or has not\n"
	  "heard of a change. Each finding comes with its next step. Changes nothing. Ends with 0, also with findings; with 1 when something is broken.",
	  "Ejemplos:\n"
	  "  vereda doctor\n"
	  "  vereda doctor --json\n"
	  "  vereda doctor --bundle informe.json    para quien te ayude: sin nombres, llaves, lugares, horas ni palabras de nadie\n\n"
	  "Mira este equipo y sus grupos: copias de equipos, coordinación y llaves, el reloj, el disco, la edad del respaldo, quién calla o no sabe de un cambio.\n"
	  "Cada cosa viene con su siguiente paso. No cambia nada. Termina con 0, también si encuentra algo; con 1 si algo está dañado."),
	T(NOT_COORDINATOR, "Only coordinators can do that, and this device is none; nothing was changed",
	  "Solo la coordinación puede hacer eso, y este equipo no lo es; no se cambió nada"),
	T(NO_COORDINATOR_NOW, "This device is no coordinator any more: what it says now counts only if coordinators stand by it (vereda approve).",
	  "Este equipo ya no es coordinación: lo que diga ahora solo vale si la coordinación lo respalda (vereda approve)."),
	T(BRAKED, "Acts have come in under this device's name that it did not do: it was restored from a backup, or somebody has a copy of it. Another "
	  "coordinator could act instead; nothing was changed",
	  "Llegaron actos a nombre de este equipo que no se hicieron aquí: se restauró de un respaldo, o alguien tiene una copia. Otra coordinación "
	  "podría hacerlo; no se cambió nada"),
	T(HINT_BRAKED, "Speak to another coordinator first. If you restored the backup yourself, repeat with --yes. If not, have this device removed.",
	  "Habla antes con otra coordinación. Si tú restauraste el respaldo, repite con --yes. Si no, pide que retiren este equipo."),
	T(TENDED, "Done along with it: {0}", "De paso se hizo: {0}"),
	T(TENDED_EPOCH, "new keys, since somebody who was removed had the last ones.", "llaves nuevas, porque alguien retirado tenía las últimas."),
	T(TENDED_SEALED, "keys for devices that lacked them ({0}).", "llaves para equipos que no las tenían ({0})."),
	T(TENDED_HANDED, "keys for the coordinators, who lacked them ({0}); sync, so that they get them.",
	  "llaves para quienes coordinan, que no las tenían ({0}); intercambia, para que les lleguen."),
	T(TENDED_REDACTED, "content that was taken back long enough ago is gone ({0}).", "se borró contenido retirado hace suficiente tiempo ({0})."),
	T(TENDED_EXPIRED, "content whose author gave it an end, now over, is gone ({0}).", "se borró contenido al que quien lo escribió le puso un plazo, ya vencido ({0})."),
	T(TENDED_PRUNED, "the disk is nearly full: content that others keep went from this device ({0}); it comes back if they do not keep it.",
	  "el disco está casi lleno: este equipo soltó contenido que otros guardan ({0}); vuelve si dejan de guardarlo."),
	T(TENDED_WANTED, "content asked for again ({0}); a sync brings it.", "contenido que se vuelve a pedir ({0}); lo trae un intercambio."),
	T(TENDED_BRAKED, "new keys are due, and were NOT made: somebody may have a copy of this device. Ask another coordinator to run vereda group rotate.",
	  "faltan llaves nuevas, y NO se hicieron: alguien puede tener una copia de este equipo. Pide a otra coordinación que ejecute vereda group rotate."),
	T(TEND_FAILED, "Keys and contents of the group could not be looked after now ({0}); nothing is lost, and the next command tries again.",
	  "Ahora no se pudieron revisar las llaves y contenidos del grupo ({0}); no se perdió nada, y la próxima orden lo intenta otra vez."),
	T(QR_FAILED, "The QR code could not be drawn; the text above is all it holds", "No se pudo dibujar el código QR; el texto de arriba es todo lo que lleva"),
	T(UNKNOWN_DEVICE, "{0} has no device whose key begins with \"{1}\"; nothing was changed",
	  "{0} no tiene ningún equipo cuya llave empiece por \"{1}\"; no se cambió nada"),
	T(BAD_ACT_ID, "\"{0}\" is no act's id; nothing was changed", "\"{0}\" no es el identificador de un acto; no se cambió nada"),
	T(NO_SUCH_ACT, "This device knows no act whose id begins with \"{0}\"; nothing was changed",
	  "Este equipo no conoce ningún acto cuyo identificador empiece por \"{0}\"; no se cambió nada"),
	T(NO_ONE_ACT, "Several acts begin with \"{0}\"; nothing was changed", "Varios actos empiezan por \"{0}\"; no se cambió nada"),
	T(HINT_ACT_ID, "Copy at least 6 digits of it from: vereda status --acts   If it was done elsewhere, sync first.",
	  "Copia al menos 6 cifras desde: vereda status --acts   Si se hizo en otra parte, intercambia primero."),
	T(HINT_NAME_OTHER, "Choose another, such as a first name and a place. It need not be anyone's real name.",
	  "Elige otro, por ejemplo un nombre y un lugar. No tiene que ser el nombre real de nadie."),
	T(NAME_BLANKS, "\"{0}\" begins or ends with a blank, which nobody would see and everybody would have to type; nothing was changed",
	  "\"{0}\" empieza o termina con un espacio, que nadie vería y habría que escribir; no se cambió nada"),
	T(NAME_DASH, "\"{0}\" begins like an option, so no command could name it; nothing was changed",
	  "\"{0}\" empieza como una opción, y ninguna orden podría nombrarlo; no se cambió nada"),
	T(NAME_MANY, "\"{0}\" means many people in other commands, so nobody can be called that; nothing was changed",
	  "\"{0}\" quiere decir muchas personas en otras órdenes, así que nadie puede llamarse así; no se cambió nada"),
	T(NAME_KEY, "\"{0}\" could be the beginning of a key, and then mean somebody else; nothing was changed",
	  "\"{0}\" podría ser el comienzo de una llave, y entonces ser otra persona; no se cambió nada"),
	T(NAME_ALIKE, "\"{0}\" mixes letters of several alphabets, or holds blanks that cannot be seen, and could pass for another name; nothing was changed",
	  "\"{0}\" mezcla letras de varios alfabetos, o tiene espacios que no se ven, y podría pasar por otro nombre; no se cambió nada"),
	T(DID_YOU_MEAN_ROLE, "Did you mean: --role {2}?", "¿Quisiste decir: --role {2}?"),
	T(OTHER_PERSON, "This device is in already, as {0}, and a device cannot pass to {1}; nothing was changed",
	  "Este equipo ya está, como {0}, y un equipo no puede pasar a {1}; no se cambió nada"),
	T(HINT_OTHER_PERSON, "Remove it (vereda revoke), make a new store on it, and admit its new vereda id.",
	  "Retíralo (vereda revoke), crea en él un almacén nuevo, y admite su nueva vereda id."),
	T(ADMIT_REMOVED, "This device was {0}'s and has been removed (key {1}); nothing was changed", "Este equipo era de {0} y fue retirado (llave {1}); no se cambió nada"),
	T(HINT_ADMIT_REMOVED, "If it never left their hands: vereda restore {1}   If it did: a new store on it (vereda init), and admit its new vereda id.",
	  "Si nunca salió de sus manos: vereda restore {1}   Si salió: un almacén nuevo (vereda init), y admite su nueva vereda id."),
	T(CARD_PAPER, "That identity is a paper key of the group; nothing was changed", "Esa identidad es una llave en papel del grupo; no se cambió nada"),
	T(ADMIT_NARROWER, "{0} is in already, with the role: {1}. Admitting again can only add, and {2} would be less; nothing was changed",
	  "{0} ya está, con el papel de: {1}. Admitir otra vez solo puede agregar, y {2} sería menos; no se cambió nada"),
	T(HINT_ADMIT_NARROWER, "To take a role away: vereda revoke {3}   Then make a new store on that device and admit its new vereda id.",
	  "Para quitar un papel: vereda revoke {3}   Después crea un almacén nuevo en ese equipo y admite su nueva vereda id."),
	T(ADMIT_FURTHER, "This adds a further device of {0}. To change what their present device may do, no identity text is needed: vereda admit \"{0}\" --role ROLE",
	  "Esto agrega otro equipo de {0}. Para cambiar lo que puede hacer su equipo de ahora no hace falta otra identidad: vereda admit \"{0}\" --role PAPEL"),
	T(ADMIT_ONE, "A welcome is for one device, and {0} has {1}; nothing was changed", "Una bienvenida es para un equipo, y {0} tiene {1}; no se cambió nada"),
	T(HINT_ADMIT_ONE, "Leave -o out: those who are in hear of it by sync. Or name the device by its key, from: vereda members",
	  "Quita -o: quienes ya están se enteran por intercambio. O nombra el equipo por su llave, desde: vereda members"),
	T(HINT_NAME_TAKEN_OTHER, "Choose another name.", "Elige otro nombre."),
	T(ADMIT_ROLE, "{0} now has the role: {1}. It reaches their devices by itself, with the next sync, stick or bundle.",
	  "{0} tiene ahora el papel de: {1}. Les llega solo a sus equipos, con el próximo intercambio, memoria USB o archivo."),
	T(ADMIT_PERSON_IN, "--person goes with the identity text of a further device, and {1} is none; nothing was changed",
	  "--person va con la identidad de otro equipo, y {1} no es una; no se cambió nada"),
	T(ADMIT_NOTHING, "What is to change for {1} is missing: --role ROLE, --focal or --name NAME; nothing was changed",
	  "Falta qué debe cambiar para {1}: --role PAPEL, --focal o --name NOMBRE; no se cambió nada"),
	T(ADMIT_REPORTER, "What {0} writes can be read only by: {1}.", "Lo que escriba {0} solo lo pueden leer: {1}."),
	T(ADMIT_COURIER, "{0} keeps and passes on everything, and can read none of it.", "{0} guarda y lleva todo, y no puede leer nada."),
	T(JOIN_REPORTER, "What you write here can be read only by the group's focal points. You read what is for everyone.",
	  "Lo que escribas aquí solo lo leen los puntos focales del grupo. Tú lees lo que es para todos."),
	T(JOIN_COURIER, "This device keeps and passes on everything, and can read none of it, not even names.",
	  "Este equipo guarda y lleva todo, y no puede leer nada, ni siquiera los nombres."),
	T(ROTATED, "{0} has new keys: what is written from now on only those can read who are in it now. Next step: sync, so that everyone gets them.",
	  "{0} tiene llaves nuevas: lo que se escriba desde ahora solo lo leen quienes están ahora. Siguiente paso: intercambiar, para que lleguen a todos."),
	T(ROTATE_FAILED, "No new keys could be made", "No se pudieron hacer llaves nuevas"),
	T(DEVICE_LINE, "    device {0}  {2}  since {1}{3}", "    equipo {0}  {2}  desde {1}{3}"),
	T(DEVICE_PAPER, "    paper key {0}  {2}  since {1}{3}", "    llave en papel {0}  {2}  desde {1}{3}"),
	T(DEVICE_NOT_HEARD, "  is not known to have heard of the last change", "  no consta que sepa del último cambio"),
	T(MEMBER_NOT_HEARD, "    is not known to have heard of the last change of membership", "    no consta que sepa del último cambio de integrantes"),
	T(MEMBERS_UNNAMED, "This device's role does not read names: members stand here by the first digits of their keys.",
	  "El papel de este equipo no lee nombres: aquí están por las primeras cifras de sus llaves."),
	T(MEMBERS_REMOVED, "Removed members are not shown: {0}. See them with: vereda members --all", "No se muestran quienes fueron retirados: {0}. Míralos con: vereda members --all"),

	T(REVOKE_SELF, "That is this device: you are about to leave the group. What you wrote stays with the others; what you write here later reaches nobody.",
	  "Ese es este equipo: estás por salir del grupo. Lo que escribiste se queda con los demás; lo que escribas aquí después no llega a nadie."),
	T(REVOKE_ONE, "Removing one device of {0} (key {1}). What it wrote before, as far as it is here, stays; what comes later under its name is kept in quarantine.",
	  "Se retira un equipo de {0} (llave {1}). Lo que escribió antes y está aquí, se queda; lo que llegue después a su nombre queda en cuarentena."),
	T(REVOKE_ALL, "Removing {0} with all devices ({1}). What they wrote before, as far as it is here, stays; what comes later under their name is kept in quarantine.",
	  "Se retira a {0} con todos sus equipos ({1}). Lo que escribió antes y está aquí, se queda; lo que llegue después a su nombre queda en cuarentena."),
	T(REVOKE_LAST, "Nobody is left to coordinate: after this nobody can ever again be admitted, removed, or given new keys.",
	  "No queda nadie en la coordinación: después de esto ya nunca se podrá admitir, retirar ni dar llaves nuevas a nadie."),
	T(REVOKE_LAST_REFUSED, "The last coordinator leaves a group that cannot be led any more; nothing was changed",
	  "Si sale la última coordinación, el grupo ya no se puede conducir; no se cambió nada"),
	T(HINT_REVOKE_LAST, "Admit another coordinator first (vereda admit … --role coordinator), or make a paper key (vereda group paper). If you mean it: --yes",
	  "Antes admite otra coordinación (vereda admit … --role coordinator), o haz una llave en papel (vereda group paper). Si es lo que quieres: --yes"),
	T(REVOKE_UNDO, "Lately {0} did this alone: {1} ({2}). That act, and what {0} did after it as a coordinator, will not be accepted. To accept it: --keep",
	  "Hace poco, por su cuenta: {1} ({2}). Ese acto, y lo que {0} hizo después como coordinación, no se va a aceptar. Para aceptarlo: --keep"),
	T(REVOKE_ASK, "Type {0} to go on: ", "Escribe {0} para seguir: "),
	T(REVOKE_UNCONFIRMED, "Removing {0} was not confirmed; nothing was changed", "No se confirmó el retiro de {0}; no se cambió nada"),
	T(HINT_REVOKE_YES, "Run it at a terminal and type the name, or repeat with --yes.", "Hazlo en una terminal y escribe el nombre, o repite con --yes."),
	T(REVOKE_FAILED, "{0} could not be removed", "No se pudo retirar a {0}"),
	T(REVOKED_UNSAID, "{0} is removed; only saying so did not work", "Se retiró a {0}; solo falló decirlo"),
	T(REVOKE_DONE, "{0} is removed, with all devices, and the group has new keys.", "Se retiró a {0}, con todos sus equipos, y el grupo tiene llaves nuevas."),
	T(REVOKE_DONE_ONE, "The device {1} of {0} is removed, and the group has new keys.", "Se retiró el equipo {1} de {0}, y el grupo tiene llaves nuevas."),
	T(REVOKE_LEFT, "You have left the group. What is stored here stays readable on this device.", "Saliste del grupo. Lo guardado aquí se sigue pudiendo leer en este equipo."),
	T(REVOKE_WAITS, "It is written, but does not count yet: {0} stays until a second coordinator approves it. They type: vereda approve {1}",
	  "Está escrito, pero todavía no vale: {0} sigue hasta que una segunda coordinación lo apruebe. Debe escribir: vereda approve {1}"),
	T(REVOKE_UNDONE, "Acts that do not count any more: {0}. See them with: vereda status --acts", "Actos que ya no valen: {0}. Míralos con: vereda status --acts"),
	T(REVOKE_RESTORED, "{0} has a role again.", "{0} tiene otra vez su papel."),
	T(REVOKE_TAKEN_ALONG, "{0} ({1}) is not in any more either: {2} admitted them, by an act that is not accepted. If they should be in: vereda restore {1}",
	  "{0} ({1}) tampoco está ya: le admitió {2}, con un acto que no se acepta. Si debe estar: vereda restore {1}"),
	T(REVOKE_UNHEARD, "Whom {0} admitted without this device knowing of it is not in either: vereda status names them once it hears of them.",
	  "A quien {0} haya admitido sin que este equipo lo sepa, tampoco está: vereda status los nombra cuando se entere."),
	T(REVOKE_NEXT, "Next step: sync with everyone. Who has not heard still trusts the removed device; vereda status shows who that is.",
	  "Siguiente paso: intercambia con todos. Quien no lo sepa sigue confiando en el equipo retirado; vereda status muestra quiénes son."),
	T(REVOKE_BUNDLES, "An ordinary bundle made from now on opens only for those who have the new keys. Whoever has not heard gets them by sync, by stick, or by a "
	  "bundle of their own: vereda export FILE --for NAME",
	  "Un archivo común hecho desde ahora solo lo abre quien tiene las llaves nuevas. A quien no se ha enterado le llegan por intercambio, por memoria "
	  "USB o con un archivo propio: vereda export ARCHIVO --for NOMBRE"),
	T(REVOKE_LEAVES, "In the last {2} days {0} hid records of others: {1}. They are shown again, because a stolen device must not be able to destroy testimony. To keep "
	  "them hidden: --keep",
	  "En los últimos {2} días {0} ocultó registros de otras personas: {1}. Se vuelven a mostrar, para que un equipo robado no pueda destruir testimonios. Para "
	  "que sigan ocultos: --keep"),
	T(REVOKE_LEFT_HIDINGS, "Shown again, of what {0} had hidden: {1}. To hide one after all, accept its redaction: vereda review ID --accept   The IDs: {2}",
	  "Se vuelve a mostrar, de lo que {0} había ocultado: {1}. Para ocultar alguno de todos modos, acepta su ocultación: vereda review ID --accept   Los ID: {2}"),
	T(REVOKE_LEFT_MORE, "{0} hid {1} more, before those, and they stay hidden. Look at them with: vereda list redaction   To show one again: vereda review ID --leave",
	  "{0} ocultó {1} más, antes de esos, y siguen ocultos. Míralos con: vereda list redaction   Para volver a mostrar uno: vereda review ID --leave"),
	T(REVOKED_ALREADY, "{0} has no role in the group any more; nothing was changed", "{0} ya no tiene ningún papel en el grupo; no se cambió nada"),
	T(REVOKED_ALREADY_ONE, "That device of {0} (key {1}) has no role in the group any more; {0} is in with others; nothing was changed",
	  "Ese equipo de {0} (llave {1}) ya no tiene ningún papel en el grupo; {0} está con otros; no se cambió nada"),
	T(HINT_REVOKED_ALREADY, "See who removed them with: vereda status --acts", "Mira quién lo hizo con: vereda status --acts"),
	T(UNDO_AND_KEEP, "--undo and --keep say opposite things; nothing was changed", "--undo y --keep dicen lo contrario; no se cambió nada"),
	T(UNDO_NOT_THEIRS, "The act {0} is not {1}'s; nothing was changed", "El acto {0} no es de {1}; no se cambió nada"),
	T(BAD_REASON, "That reason is too long or holds what cannot be shown; nothing was changed", "Ese motivo es demasiado largo o tiene algo que no se puede mostrar; no se cambió nada"),
	T(HINT_REASON, "A reason has at most 64 letters, digits or blanks; a letter with an accent counts as two.", "Un motivo tiene como mucho 64 letras, cifras o espacios; una letra con tilde cuenta por dos."),

	T(REVIEW_WHICH, "Say what becomes of it: --accept or --leave; nothing was changed", "Di qué se hace: --accept o --leave; no se cambió nada"),
	T(REVIEW_CONTROL, "{0} is an act of a coordinator, not something that was written; nothing was changed",
	  "{0} es un acto de la coordinación, no algo que se escribió; no se cambió nada"),
	T(HINT_REVIEW_CONTROL, "Acts are backed with: vereda approve", "Los actos se respaldan con: vereda approve"),
	T(REVIEW_NONE, "{0} by {1} is not in quarantine; nothing was changed", "{0}, de {1}, no está en cuarentena; no se cambió nada"),
	T(HINT_REVIEW_NONE, "See what is with: vereda list --quarantined", "Mira lo que hay con: vereda list --quarantined"),
	T(REVIEW_ACCEPTED_ALREADY, "{0} was accepted already; nothing was changed.", "{0} ya estaba aceptado; no se cambió nada."),
	T(REVIEW_LEFT_ALREADY, "{0} was left in quarantine already; nothing was changed.", "{0} ya se había dejado en cuarentena; no se cambió nada."),
	T(REVIEW_FAILED, "Nothing could be decided about {0}", "No se pudo decidir sobre {0}"),
	T(REVIEW_ACCEPTED, "{0} is accepted: everyone who hears of it sees the record.", "Se aceptó {0}: quien se entere ve el registro."),
	T(REVIEW_LEFT, "{0} is left in quarantine. Nothing is deleted.", "{0} se deja en cuarentena. No se borra nada."),
	T(APPROVED, "Now it has two voices: {0} ({1}). Next step: sync, so that everyone knows.", "Ahora tiene dos voces: {0} ({1}). Siguiente paso: intercambiar, para que todos lo sepan."),
	T(APPROVED_ALONE, "Your word is written, but makes no second voice about this: {0} ({1}). You and {2} are of one line: one of you was admitted by the other, or both "
	  "by the same coordinator other than the founder. The founder, or a coordinator of another line, has to type: vereda approve {1}",
	  "Tu palabra quedó escrita, pero no hace una segunda voz sobre esto: {0} ({1}). Tú y {2} son de una misma línea: una persona admitió a la otra, o a ambas "
	  "las admitió la misma coordinación, distinta de quien fundó el grupo. Quien fundó el grupo, o una coordinación de otra línea, debe escribir: vereda approve {1}"),
	T(APPROVED_SAME, "Your word is written, but makes no second voice about this: {0} ({1}). You and {2} are one member, and a second voice is somebody else's. "
	  "Another coordinator has to type: vereda approve {1}",
	  "Tu palabra quedó escrita, pero no hace una segunda voz sobre esto: {0} ({1}). Tú y {2} son la misma persona, y la segunda voz es de alguien más. "
	  "Otra coordinación debe escribir: vereda approve {1}"),
	T(APPROVED_NO_ROLE, "Your word is written, but makes no second voice about this: {0} ({1}). This device is no coordinator now. A coordinator has to type: vereda approve {1}",
	  "Tu palabra quedó escrita, pero no hace una segunda voz sobre esto: {0} ({1}). Este equipo ya no es coordinación. Una coordinación debe escribir: vereda approve {1}"),
	T(APPROVED_FOUNDERS, "Your word is written, and changes nothing about this: {0} ({1}). {2} founded the group: no single coordinator outranks that, and no second voice "
	  "adds to it. Only two other coordinators together are stronger.",
	  "Tu palabra quedó escrita, y no cambia nada sobre esto: {0} ({1}). {2} fundó el grupo: ninguna coordinación sola pesa más, y una segunda voz no le agrega nada. "
	  "Solo dos coordinaciones distintas juntas pesan más."),
	T(APPROVED_VAIN_ADMIT, "Your word is written, but the act still does NOT count: {0}. {1} had been removed, and no approval makes up for that. To let them in by your own "
	  "word: vereda restore {2}",
	  "Tu palabra quedó escrita, pero el acto sigue sin valer: {0}. A {1} ya se le había retirado, y ninguna aprobación lo suple. Para que entren por tu propia "
	  "palabra: vereda restore {2}"),
	T(APPROVED_VAIN, "Your word is written, but the act still does NOT count: {0}. {1} had been removed, and no approval makes up for that. If it is right, do the same "
	  "yourself.",
	  "Tu palabra quedó escrita, pero el acto sigue sin valer: {0}. A {1} ya se le había retirado, y ninguna aprobación lo suple. Si es correcto, haz tú lo mismo."),
	T(APPROVED_IN_ANYWAY, "Your word is written, and changes nothing: {0} does not count, for {1} had been removed; but they are in by another admission.",
	  "Tu palabra quedó escrita y no cambia nada: {0} no vale, porque a {1} ya se le había retirado; pero ya están por otra admisión."),
	T(APPROVED_SECONDED, "It weighs like the founder's own act now: {0} ({1}). Next step: sync, so that everyone knows.",
	  "Ahora pesa como un acto de quien fundó el grupo: {0} ({1}). Siguiente paso: intercambiar, para que todos lo sepan."),
	T(APPROVE_KIND, "{0} gains nothing by a second voice: only a removal or an admission does; nothing was changed",
	  "{0} no gana nada con una segunda voz: solo un retiro o una admisión; no se cambió nada"),
	T(HINT_APPROVE_KIND, "See which acts wait for it with: vereda status", "Mira qué actos la esperan con: vereda status"),
	T(APPROVE_OWN, "This device did that itself, and a second voice is somebody else's; nothing was changed",
	  "Eso lo hizo este mismo equipo, y la segunda voz es de alguien más; no se cambió nada"),
	T(HINT_APPROVE_OWN, "Ask another coordinator to type it.", "Pide a otra coordinación que lo escriba."),
	T(APPROVE_AGAIN, "This device approved it already; nothing was changed.", "Este equipo ya lo aprobó; no se cambió nada."),
	T(APPROVE_FAILED, "{0} could not be approved", "No se pudo aprobar {0}"),
	T(RESTORED, "{0} has the role again: {1}. Next step: sync, so that everyone knows.", "{0} tiene otra vez su papel: {1}. Siguiente paso: intercambiar, para que todos lo sepan."),
	T(RESTORED_OWN, "{0} is in by your own word now, as: {1}. Next step: sync, so that everyone knows, their device too; they need no new welcome.",
	  "Ahora {0} está por tu propia palabra, con el papel de: {1}. Siguiente paso: intercambiar, para que todos lo sepan, también su equipo; no necesita otra "
	  "bienvenida."),
	T(RESTORE_NAMELESS, "{0} cannot be given the role back by that: this device cannot read their name; nothing was changed",
	  "Así no se le puede devolver su papel a {0}: este equipo no puede leer su nombre; no se cambió nada"),
	T(HINT_RESTORE_NAMELESS, "Give the name anew: vereda admit {1} --name NAME", "Pon el nombre otra vez: vereda admit {1} --name NOMBRE"),
	T(RESTORE_WAITS, "It is written, but {0} has no role yet: a second coordinator has to approve it. They type: vereda approve {1}",
	  "Está escrito, pero {0} todavía no tiene papel: una segunda coordinación tiene que aprobarlo. Debe escribir: vereda approve {1}"),
	T(RESTORE_FAILED, "{0} could not be given the role back", "No se pudo devolver su papel a {0}"),
	T(RESTORE_NONE, "Nothing of {0} was removed; nothing was changed", "No hay nada retirado de {0}; no se cambió nada"),
	T(RETURN, "{0} removed {1}, and that does not count now. If {0} has a role again, it counts again, and {1} is out; nothing was changed",
	  "{0} retiró a {1}, y eso ahora no vale. Si {0} vuelve a tener su papel, vuelve a valer, y {1} queda fuera; no se cambió nada"),
	T(HINT_RETURN, "If both shall be in: repeat with --yes, then vereda restore {1}   Somebody other than {1} has to approve both.",
	  "Si deben estar los dos: repite con --yes, y después vereda restore {1}   Ambas cosas las tiene que aprobar alguien distinto de {1}."),

	T(PAPER_WORDS, "Paper key of {0}. Write these twelve words on paper, by hand. They are not stored anywhere and are not shown again:\n",
	  "Llave en papel de {0}. Escribe estas doce palabras en papel, a mano. No se guardan en ningún lado y no se vuelven a mostrar:\n"),
	T(PAPER_KEEP, "Whoever reads them leads your group: keep the paper far from your devices, where you would hide money. Then clear this screen.\n"
	  "It opens what is carried or exported from now on: keep a stick or a bundle as well. If the paper is lost: vereda members shows its key; vereda revoke KEY",
	  "Quien las lea conduce tu grupo: guarda el papel lejos de tus equipos, donde esconderías dinero. Después borra esta pantalla.\n"
	  "Abre lo que se lleve o exporte desde ahora: guarda también una memoria USB o un archivo. Si se pierde el papel: vereda members muestra su llave; vereda revoke LLAVE"),
	T(PAPER_TTY, "The words of a paper key are shown only on a terminal, so that no file keeps them; nothing was changed",
	  "Las palabras de una llave en papel solo se muestran en una terminal, para que ningún archivo las guarde; no se cambió nada"),
	T(HINT_PAPER_TTY, "Run it at a terminal. If you want them in a file or pipe all the same: --yes", "Hazlo en una terminal. Si aun así las quieres en un archivo o tubería: --yes"),
	T(PAPER_FAILED, "No paper key could be made", "No se pudo hacer una llave en papel"),
	T(PAPER_UNSAID, "A paper key is made, but its words could not be shown, and nobody knows them. Remove it (vereda members shows its key) and make another",
	  "Se hizo una llave en papel, pero no se pudieron mostrar sus palabras, y nadie las sabe. Retírala (vereda members muestra su llave) y haz otra"),
	T(PAPER_ASK, "Words of the paper key, {0} of {1} so far (they do not appear while you type): ", "Palabras de la llave en papel, van {0} de {1} (no se ven al escribir): "),
	T(PAPER_NO_WORDS, "The twelve words of the paper key are missing; nothing was changed", "Faltan las doce palabras de la llave en papel; no se cambió nada"),
	T(HINT_PAPER_WORDS, "Type them at a terminal, give them on standard input, or name a file with --words-file.",
	  "Escríbelas en una terminal, pásalas por la entrada estándar, o nombra un archivo con --words-file."),
	T(PAPER_FILE, "The words could not be read from {0}", "No se pudieron leer las palabras de {0}"),
	T(PAPER_WRONG, "Word {0} is none that a paper key can have; nothing was changed", "La palabra {0} no puede ser de una llave en papel; no se cambió nada"),
	T(PAPER_COUNT, "A paper key has {1} words, and there are {0} here; nothing was changed", "Una llave en papel tiene {1} palabras, y aquí hay {0}; no se cambió nada"),
	T(HINT_PAPER_COUNT, "Compare with the paper, by the numbers: a word is missing or stands twice, or two are written as one.",
	  "Compara con el papel, por los números: falta una palabra o está repetida, o hay dos escritas juntas."),
	T(PAPER_SUM, "All are words that a paper key can have, but together they are none: one is another word than on the paper, or they stand in another order; nothing was changed",
	  "Todas pueden ser de una llave en papel, pero juntas no lo son: alguna es otra que la del papel, o están en otro orden; no se cambió nada"),
	T(HINT_PAPER_WRONG, "Compare them with the paper, letter by letter, and their order by the numbers.", "Compáralas con el papel, letra por letra, y su orden por los números."),
	T(RECOVER_FAILED, "The group could not be recovered from {0}", "No se pudo recuperar el grupo desde {0}"),
	T(RECOVER_KEY, "Nothing in {0} opens with these words; nothing was changed", "Nada en {0} abre con estas palabras; no se cambió nada"),
	T(RECOVER_NO_BUNDLE, "{0} is no file of vereda's, or too little of it is left to tell; nothing was changed",
	  "{0} no es un archivo de vereda, o queda muy poco de él para saberlo; no se cambió nada"),
	T(HINT_RECOVER_KEY, "It must have been made after the paper key, by any member: ask for a new bundle (vereda export) or a stick that was synced since.",
	  "Debe haberse hecho después de la llave en papel, por cualquier integrante: pide un archivo nuevo (vereda export) o una memoria USB intercambiada desde entonces."),
	T(RECOVER_EXISTS, "This device is in that group already; nothing was changed", "Este equipo ya está en ese grupo; no se cambió nada"),
	T(HINT_RECOVER_EXISTS,
	  "If it was interrupted here before: the same command takes the rest of a bundle, and has it all now; vereda sync DIR takes that of a stick. Else a paper key is for a device that is not in the group: make another store with vereda --home FOLDER init.",
	  "Si aquí se interrumpió antes: el mismo comando toma el resto de un archivo, y ya lo tiene todo; vereda sync CARPETA toma el de una memoria. Si no, una llave en papel es para un equipo que no está en el grupo: crea otro almacén con vereda --home CARPETA init."),
	T(RECOVER_REMOVED, "That paper key was removed from the group, and cannot bring it back; nothing was changed",
	  "Esa llave en papel fue retirada del grupo y no puede recuperarlo; no se cambió nada"),
	T(HINT_RECOVER_REMOVED, "Ask a coordinator to admit this device: vereda id", "Pide a la coordinación que admita este equipo: vereda id"),
	T(RECOVER_FORGED, "{0} holds a group that this paper key never belonged to: somebody may have made it to deceive you; nothing was changed",
	  "{0} trae un grupo al que esta llave en papel nunca perteneció: alguien pudo hacerlo para engañarte; no se cambió nada"),
	T(HINT_RECOVER_FORGED, "Take another bundle or stick of your group, from somebody you know.", "Usa otro archivo u otra memoria USB de tu grupo, de alguien que conozcas."),
	T(RECOVER_SPOILT, "{0} opens with these words, but is damaged or was not copied whole; nothing was changed",
	  "{0} abre con estas palabras, pero está dañado o no se copió completo; no se cambió nada"),
	T(HINT_RECOVER_SPOILT, "Copy it again whole, or take another bundle or stick of the group.", "Cópialo otra vez completo, o usa otro archivo u otra memoria USB del grupo."),
	T(RECOVERED, "You are back in {0}, as {1} ({2}). Next step: sync with the others, then remove what was lost: vereda members, vereda revoke KEY",
	  "Estás de vuelta en {0}, como {1} ({2}). Siguiente paso: intercambia con los demás, y retira lo que se perdió: vereda members, vereda revoke LLAVE"),
	T(RECOVERED_UNSAID, "The group is recovered on this device; only saying so did not work", "El grupo se recuperó en este equipo; solo falló decirlo"),

	T(ACT_FOUND, "{0} founded the group", "{0} fundó el grupo"),
	T(ACT_NAME, "{0} named the group", "{0} le puso nombre al grupo"),
	T(ACT_GRANT, "{0} admitted {1} ({2}) as {3}", "{0} admitió a {1} ({2}) con el papel de {3}"),
	T(ACT_GRANT_AGAIN, "{0} admitted {1} ({2}) again, as {3}", "{0} volvió a admitir a {1} ({2}), con el papel de {3}"),
	T(ACT_EPOCH, "{0} made new keys", "{0} hizo llaves nuevas"),
	T(ACT_REVOKE, "{0} removed {1}", "{0} retiró a {1}"),
	T(ACT_REVOKE_DEVICE, "{0} removed a device of {1} ({2})", "{0} retiró un equipo de {1} ({2})"),
	T(ACT_REVIEW_ACCEPT, "{0} accepted the record {2} from quarantine", "{0} aceptó el registro {2} de la cuarentena"),
	T(ACT_REVIEW_LEAVE, "{0} left the record {2} in quarantine", "{0} dejó el registro {2} en cuarentena"),
	T(ACT_APPROVE, "{0} approved the act {2}", "{0} aprobó el acto {2}"),
	T(ACT_OTHER, "{0} did something that this version cannot read", "{0} hizo algo que esta versión no puede leer"),
	T(ACT_WAITS, "does NOT count: it would if another coordinator approved it (vereda approve {0})",
	  "NO vale: valdría si otra coordinación lo aprobara (vereda approve {0})"),
	T(ACT_WAITS_OTHERS, "does NOT count: the word of one more coordinator is missing, and this device has given its own (they type vereda approve {0})",
	  "NO vale: falta la palabra de otra coordinación, y este equipo ya dio la suya (debe escribir vereda approve {0})"),
	T(ACT_AUTHOR_NEVER, "does NOT count: no admission of {1} counts", "NO vale: ninguna admisión de {1} vale"),
	T(ACT_OVERRULED, "was overruled: another decision about the same record holds", "quedó sin efecto: rige otra decisión sobre el mismo registro"),
	T(ACT_SECONDED, "approved by the founder", "aprobado por quien fundó el grupo"),
	T(ACT_PAPER, "{0} made a paper key ({2})", "{0} hizo una llave en papel ({2})"),
	T(ACT_AUTHOR_OUT, "does NOT count: {1} had been removed by {2}", "NO vale: a {1} lo había retirado {2}"),
	T(ACT_OUTRANKED, "does NOT count: others of higher standing decided otherwise", "NO vale: otros con más antigüedad decidieron otra cosa"),
	T(ACT_UNREADABLE, "has no effect here: a newer vereda may know it", "no tiene efecto aquí: quizá lo entienda una versión más nueva"),
	T(ACT_BACKED, "approved by a second coordinator", "aprobado por una segunda coordinación"),
	T(ACT_NOT_HEARD, "{0} members are not known to have heard: {1}", "no consta que {0} integrantes lo sepan: {1}"),
	T(ACT_NOT_HEARD_ONE, "1 member is not known to have heard: {1}", "no consta que 1 integrante lo sepa: {1}"),
	T(STATUS_ACTS, "  What coordinators did:", "  Lo que hizo la coordinación:"),
	T(STATUS_ACTS_FOLDED, "    older, and known to all: {0} (vereda status --acts)", "    más viejos, y sabidos por todos: {0} (vereda status --acts)"),

	/* findings */
	T(SEVERITY_NOTE, "Note", "Nota"),
	T(SEVERITY_WARNING, "Warning", "Advertencia"),
	T(SEVERITY_SERIOUS, "SERIOUS", "GRAVE"),
	T(SEVERITY_BROKEN, "BROKEN", "DAÑADO"),
	SAME(FINDING, "{0}: {1}"),
	T(FINDING_NEXT, "  Next step: {0}", "  Siguiente paso: {0}"),
	T(DOCTOR_WELL, "Nothing to report.", "Nada que informar."),
	T(WARN_FORKED, "Under the key of {0} ({1}) two different chains were written: that device was restored from a backup, or somebody has a copy of it. All of it is kept and counts.",
	  "Con la llave de {0} ({1}) se escribieron dos cadenas distintas: ese equipo se restauró de un respaldo, o alguien tiene una copia. Todo se conserva y vale."),
	T(NEXT_FORKED, "Ask {0} in person. If it was not a backup: vereda revoke {1}", "Pregunta a {0} en persona. Si no fue un respaldo: vereda revoke {1}"),
	T(WARN_REMOVED, "You were removed from {0} by {1} on {2}. What you write here stays on this device, and with others in quarantine.",
	  "{1} te retiró de {0} el {2}. Lo que escribas aquí se queda en este equipo, y con los demás en cuarentena."),
	T(WARN_NO_ROLE, "This device has no role in {0}: no admission of it counts. What you write here stays on this device, and with others in quarantine.",
	  "Este equipo no tiene papel en {0}: ninguna admisión suya vale. Lo que escribas aquí se queda en este equipo, y con los demás en cuarentena."),
	T(NEXT_REMOVED, "Speak to a coordinator; one can give the role back with: vereda restore {3}", "Habla con la coordinación; puede devolverte el papel con: vereda restore {3}"),
	T(WARN_FELL, "{2} admitted {0} ({1}) as {3}, but {2} was removed before anybody here knew of it: {0} is not in, whatever their device says. Until then what "
	  "{0} writes is in quarantine.",
	  "{2} admitió a {0} ({1}) con el papel de {3}, pero a {2} se le retiró antes de que aquí se supiera: {0} no está, diga lo que diga su equipo. Lo que {0} "
	  "escriba queda en cuarentena."),
	T(NEXT_FELL, "If you know {0} and they should be in: vereda restore {1}   With another role: vereda admit {1} --role ROLE   If not, leave it.",
	  "Si conoces a {0} y debe estar: vereda restore {1}   Con otro papel: vereda admit {1} --role PAPEL   Si no, déjalo así."),
	T(NEXT_FELL_OTHERS, "If you know {0} and they should be in, ask a coordinator to type: vereda restore {1}",
	  "Si conoces a {0} y debe estar, pide a la coordinación que escriba: vereda restore {1}"),
	T(WARN_FELL_MORE, "{0} more were admitted by somebody who had been removed, and are not in.", "Hay {0} más a quienes admitió alguien ya retirado, y no están."),
	T(NEXT_FELL_MORE, "See who they are with: vereda members --all", "Mira quiénes son con: vereda members --all"),
	T(WARN_ONE_COORDINATOR, "{0} has one coordinator and no paper key: if that device is lost, nobody can ever again be admitted or removed.",
	  "{0} tiene una sola coordinación y ninguna llave en papel: si ese equipo se pierde, ya nunca se podrá admitir ni retirar a nadie."),
	T(NEXT_ONE_COORDINATOR, "Run vereda group paper   or have a second coordinator: vereda admit MEMBER --role coordinator   For a newcomer: vereda admit ID --name NAME --role coordinator -o FILE",
	  "Ejecuta vereda group paper   o ten una segunda coordinación: vereda admit INTEGRANTE --role coordinator   Si es alguien nuevo: vereda admit ID --name NOMBRE --role coordinator -o ARCHIVO"),
	T(NEXT_TELL_COORDINATOR, "Ask the coordinator for a paper key (vereda group paper) or a second coordinator.",
	  "Pide a la coordinación una llave en papel (vereda group paper) o una segunda coordinación."),
	T(WARN_SILENT_COORDINATOR, "{1} is admitted as coordinator of {0} but has not been heard of yet. Until then it has one coordinator and no paper key: if that device is lost, nobody can ever again be admitted or removed.",
	  "{1} tiene el papel de coordinación en {0}, pero todavía no se sabe nada de su equipo. Hasta entonces hay una sola coordinación y ninguna llave en papel: si ese equipo se pierde, ya nunca se podrá admitir ni retirar a nadie."),
	T(NEXT_SILENT_COORDINATOR, "Make sure that {1} has joined (vereda join), then sync. Or run vereda group paper",
	  "Asegúrate de que {1} ya entró (vereda join), y después intercambia. O ejecuta vereda group paper"),
	T(WARN_EPOCH, "Until a coordinator makes new keys for {0}, somebody who was removed may read what is written.",
	  "Mientras la coordinación no haga llaves nuevas para {0}, alguien que fue retirado puede leer lo que se escriba."),
	T(NEXT_EPOCH, "Run vereda group rotate   then sync.", "Ejecuta vereda group rotate   y después intercambia."),
	T(NEXT_EPOCH_OTHERS, "Sync with a coordinator before you write what they must not read.", "Intercambia con la coordinación antes de escribir lo que no deba leer."),
	T(WARN_WAITING, "This does not count unless another coordinator approves it: {0} ({1}).", "Esto no vale si otra coordinación no lo aprueba: {0} ({1})."),
	T(NEXT_WAITING, "Speak to who did it. If it is right: vereda approve {1}   If not, leave it.", "Habla con quien lo hizo. Si está bien: vereda approve {1}   Si no, déjalo."),
	T(NEXT_WAITING_OTHERS, "This device has given its word already, and it makes no second voice. Ask a coordinator whom neither side admitted; they type: vereda approve {1}",
	  "Este equipo ya dio su palabra, y no hace una segunda voz. Pide a una coordinación que no haya sido admitida por ninguna de las dos partes; debe escribir: vereda approve {1}"),
	T(NEXT_ELSEWHERE, "If you restored a backup, go on as before. If not, ask a coordinator to remove this device (vereda revoke {0}), and join anew from a fresh store.",
	  "Si restauraste un respaldo, sigue como antes. Si no, pide a la coordinación que retire este equipo (vereda revoke {0}), y entra de nuevo desde un almacén nuevo."),
	T(NEXT_ALONE, "Admit somebody: they run vereda id, and you vereda admit with what it prints. Until then: vereda backup create FILE",
	  "Admite a alguien: esa persona ejecuta vereda id, y tú vereda admit con lo que muestre. Mientras tanto: vereda backup create ARCHIVO"),
	T(NEXT_READABLE, "Give it one: vereda passphrase", "Ponle una: vereda passphrase"),
	T(WARN_QUARANTINE, "Records in quarantine that no coordinator has looked at: {0}.", "Registros en cuarentena que la coordinación no ha mirado: {0}."),
	T(NEXT_QUARANTINE, "Look at them with vereda list --quarantined   then for each: vereda review ID --accept or --leave",
	  "Míralos con vereda list --quarantined   y para cada uno: vereda review ID --accept o --leave"),
	T(WARN_SILENT_ONE, "{0} has been silent for {1} days: nothing of theirs came.", "{0} lleva {1} días en silencio: no ha llegado nada suyo."),
	T(NEXT_SILENT_ONE, "What has not reached them: vereda why \"{0}\"", "Lo que no le ha llegado: vereda why \"{0}\""),
	T(WARN_ONLY_HERE, "{0} records of {1} exist only here, as far as this device knows.", "{0} registros de {1} existen solo aquí, hasta donde este equipo sabe."),
	T(WARN_ONLY_HERE_ONE, "1 record of {1} exists only here, as far as this device knows.", "1 registro de {1} existe solo aquí, hasta donde este equipo sabe."),
	T(NEXT_ONLY_HERE, "Sync with somebody, or put them on a stick (vereda sync DIR) and take it there; when it comes back, sync it again: it brings their receipt.",
	  "Intercambia con alguien, o ponlos en una memoria (vereda sync CARPETA) y llévala; cuando vuelva, intercambia otra vez con ella: trae el acuse."),
	T(WARN_SILENT, "Nothing has come from these members in {0} days: {1}.", "En {0} días no ha llegado nada de estas personas: {1}."),
	T(NEXT_SILENT, "Make sure that they are well, and that their devices still sync.", "Asegúrate de que estén bien, y de que sus equipos todavía intercambien."),
	T(WARN_NOT_HEARD, "These members are not known to have heard that {0}: {1}.", "No consta que estas personas sepan que {0}: {1}."),
	T(NEXT_NOT_HEARD, "Sync with them, or send them a stick or a bundle.", "Intercambia con ellas, o mándales una memoria USB o un archivo."),
	T(NEXT_NOT_HEARD_REVOKE, "Reach them soon, by sync, stick or word of mouth: until then they trust who was removed.",
	  "Avísales pronto, por intercambio, memoria USB o de palabra: hasta entonces confían en quien fue retirado."),
	T(WARN_DECLINED, "This device takes no more records of {0} ({2}): their share of its disk is used up ({1}).",
	  "Este equipo ya no recibe registros de {0} ({2}): se agotó su parte del disco ({1})."),
	T(NEXT_DECLINED, "If so many are right, allow more: vereda config set share.records {3}   then sync. If not, ask {0} in person.",
	  "Si está bien que sean tantos, permite más: vereda config set share.records {3}   y después intercambia. Si no, pregunta a {0} en persona."),
	T(NEXT_DECLINED_OUT, "{0} has no role in the group, so no more than that is kept.", "{0} no tiene papel en el grupo, así que no se guardan más."),
	T(WARN_DISK_FULL, "The disk has {0} left. vereda keeps {1} free for membership and for wiping, so no records are taken in now: neither yours nor those of others. What is stored is safe.",
	  "Al disco le quedan {0}. vereda deja libres {1} para los integrantes y para borrar, así que ahora no recibe registros: ni tuyos ni de otros. Lo guardado está a salvo."),
	T(NEXT_DISK_FULL, "Free some space (vereda prune --dry-run: what may go, as others keep it); then write again what was refused, and sync.",
	  "Libera espacio (vereda prune --dry-run: lo que puede irse, porque otros lo guardan); después vuelve a escribir lo que se rechazó, e intercambia."),
	T(WARN_DAEMON_FULL, "The disk has been full since {0}: veredad stores nothing of what others send. Nothing that was stored is lost, and what they sent comes again.",
	  "El disco está lleno desde {0}: veredad no guarda nada de lo que mandan otras personas. No se perdió nada de lo guardado, y lo que mandaron vuelve a llegar."),
	T(NEXT_DAEMON_FULL, "Free some space (vereda prune --dry-run: what may go, as others keep it): it goes on by itself, without a restart.",
	  "Libera espacio (vereda prune --dry-run: lo que puede irse, porque otros lo guardan): sigue por sí solo, sin reiniciar nada."),
	T(WARN_DAEMON_DISK, "The disk has refused what veredad writes since {0}: nothing of what others send is stored. What was stored before is safe.",
	  "El disco rechaza desde {0} lo que veredad escribe: no se guarda nada de lo que mandan otras personas. Lo guardado antes está a salvo."),
	T(WARN_DISK_LOW, "The disk has only {0} left.", "Al disco solo le quedan {0}."),
	T(NEXT_DISK_LOW, "Free some space (vereda prune --dry-run: what may go, as others keep it): below {1} no more records are taken in.",
	  "Libera espacio (vereda prune --dry-run: lo que puede irse, porque otros lo guardan): con menos de {1} ya no se reciben registros."),
	T(WARN_BOUNDED, "Only the first {0} records of a group were looked at for copies of devices.", "Solo se miraron los primeros {0} registros de un grupo en busca de copias de equipos."),
	T(NEXT_NO_DAEMON, "Start veredad, or sync by hand: vereda sync FOLDER, or HOST:PORT", "Inicia veredad, o intercambia a mano: vereda sync CARPETA, o EQUIPO:PUERTO"),

	/* config */
	T(CONFIG_SUBCOMMAND, "\"vereda config\" has no such thing; there are list, get and set", "\"vereda config\" no tiene eso; hay list, get y set"),
	T(CONFIG_NO_KEY, "There is nothing called \"{0}\" to be set; nothing was changed", "No hay nada llamado \"{0}\" que se pueda ajustar; no se cambió nada"),
	T(HINT_CONFIG_KEYS, "There are share.records, share.day, reserve, bulk.max, promise and receipts. See: vereda help config", "Hay share.records, share.day, reserve, bulk.max, promise y receipts. Mira: vereda help config"),
	SAME(CONFIG_LINE, "{0} {1}"),
	T(CONFIG_NO_VALUE, "\"{1}\" is no value for {0}; nothing was changed", "\"{1}\" no es un valor para {0}; no se cambió nada"),
	T(HINT_CONFIG_NUMBER, "Write a number of records, for example: 200000", "Escribe un número de registros, por ejemplo: 200000"),
	T(HINT_CONFIG_SIZE, "Write a size, for example: 500M or 2G", "Escribe un tamaño, por ejemplo: 500M o 2G"),
	T(CONFIG_LESS, "{0} must be at least {1}, or nothing of anybody would come in; nothing was changed",
	  "{0} debe ser por lo menos {1}; si no, no entraría nada de nadie; no se cambió nada"),
	T(HINT_CONFIG_LEAST, "Choose {1} or more.", "Elige {1} o más."),
	T(CONFIG_FAILED, "The settings of this device could not be read or changed", "No se pudieron leer o cambiar los ajustes de este equipo"),
	T(HINT_CONFIG_ON_OFF, "Write on or off.", "Escribe on (sí) u off (no)."),
	T(CONFIG_SET, "{0} is {1} now; it was {2}.", "{0} ahora es {1}; era {2}."),

	/* to whom */
	T(COURIER_WRITES, "This device is a courier: it carries what others write and writes nothing itself; nothing was stored",
	  "Este equipo es mensajero: lleva lo que otros escriben y no escribe nada; no se guardó nada"),
	T(HINT_COURIER_WRITES, "Write it on another device of yours, or ask a coordinator to admit you with another role.",
	  "Escríbelo en otro equipo tuyo, o pide a la coordinación que te admita con otro papel."),
	T(REMOVED_WRITES, "This device has no role in the group any more. What you write stays here; with the others it is kept in quarantine until a coordinator accepts it.",
	  "Este equipo ya no tiene ningún papel en el grupo. Lo que escribas se queda aquí; con los demás queda en cuarentena hasta que la coordinación lo acepte."),
	T(NO_FOCAL, "The group has no focal point whose device could read it; nothing was stored",
	  "El grupo no tiene ningún punto focal cuyo equipo lo pueda leer; no se guardó nada"),
	T(HINT_NO_FOCAL, "Speak to a coordinator, and sync first: perhaps this device has not heard of the focal points yet.",
	  "Habla con la coordinación, e intercambia antes: tal vez este equipo todavía no sabe de los puntos focales."),
	T(TO_MIXED, "It cannot be for {0} and for {1} at once; nothing was stored", "No puede ser para {0} y para {1} a la vez; no se guardó nada"),
	T(HINT_TO_MIXED, "Say everyone, or members, or one or more names. For others besides, write it once more.",
	  "Di everyone, o members, o uno o más nombres. Para otras personas, escríbelo otra vez."),
	T(TO_MANY, "One record can be for at most 16 devices, and these have more: {0}; nothing was stored",
	  "Un registro puede ser como mucho para 16 equipos, y estas personas tienen más: {0}; no se guardó nada"),
	T(HINT_TO_MANY, "Write it once for some of them, and once more for the others.", "Escríbelo una vez para algunas, y otra vez para las demás."),
	T(TO_REMOVED, "{0} was removed from the group, so it would be written for nobody; nothing was stored",
	  "{0} ya no está en el grupo, así que no sería para nadie; no se guardó nada"),
	T(TO_COURIER, "{0} has no device that can read anything: couriers carry and do not read; nothing was stored",
	  "{0} no tiene ningún equipo que pueda leer: los mensajeros llevan y no leen; no se guardó nada"),
	T(REPORTER_TO_ALL, "What a reporter writes is for the focal points alone, so it cannot be for {0}; nothing was stored",
	  "Lo que escribe un reportante es solo para los puntos focales, así que no puede ser para {0}; no se guardó nada"),
	T(REPORTER_TO_MEMBER, "What a reporter writes is for the focal points alone, and {0} is none; nothing was stored",
	  "Lo que escribe un reportante es solo para los puntos focales, y {0} no lo es; no se guardó nada"),
	T(HINT_REPORTER_TO, "Leave --to out: it goes to the focal points. They can pass on what others should know.",
	  "Quita --to: va a los puntos focales. Ellos pueden contar lo que otros deban saber."),
	T(KEEP_NOTHING, "No copy is kept: none of your devices has a role that reads.", "No se guarda copia: ninguno de tus equipos tiene un papel que lea."),
	T(TO_ONLY, "Only these can read it: {0}.", "Solo lo puede leer: {0}."),
	T(TO_FOCAL, "Only the group's focal points can read it.", "Solo lo pueden leer los puntos focales del grupo."),
	T(TO_KEPT, "This device can read it, too.", "Este equipo también lo puede leer."),
	T(TO_NOT_KEPT, "You cannot read it here any more. To keep a copy of your own next time: --keep",
	  "Aquí ya no lo puedes leer. La próxima vez, para guardar una copia tuya: --keep"),
	T(TO_LEFT_OUT, "The focal points have more than 16 devices: {0} of them cannot read it. Every focal point has one that can, as far as there is room.",
	  "Los puntos focales tienen más de 16 equipos: {0} de ellos no lo pueden leer. Cada punto focal tiene uno que sí, hasta donde alcanza."),
	T(LEAVERS_READ, "Until this device gets newer keys, these can still read it, though they were removed: {0}. What they must not read, write after a sync with a coordinator.",
	  "Mientras este equipo no reciba llaves nuevas, todavía lo pueden leer, aunque fueron retirados: {0}. Lo que no deban leer, escríbelo después de intercambiar con la coordinación."),
	T(SOMEBODY_READS, "Until a coordinator makes new keys, somebody who was removed can still read it. What they must not read, write after a sync with a coordinator.",
	  "Mientras la coordinación no haga llaves nuevas, alguien que fue retirado todavía lo puede leer. Lo que no deba leer, escríbelo después de intercambiar con la coordinación."),
	T(REDACTION_BY_HAND, "A redaction is not written by hand; nothing was stored", "Una ocultación no se escribe a mano; no se guardó nada"),
	T(HINT_REDACTION_BY_HAND, "To hide a record everywhere: vereda redact ID", "Para ocultar un registro en todas partes: vereda redact ID"),

	/* why something is not shown */
	T(BODY_COURIER, "(sealed: a courier carries it and does not read it, as it should be)", "(sellado: un mensajero lo lleva y no lo lee, como debe ser)"),
	T(BODY_FOR_MEMBERS, "(sealed: for members)", "(sellado: para integrantes)"),
	T(BODY_AFTER_REMOVAL, "(sealed: with keys made since this device was removed)", "(sellado: con llaves hechas desde que se retiró este equipo)"),
	T(BODY_NO_KEY, "(sealed: its key is not here yet; it opens by itself when it comes)",
	  "(sellado: su llave todavía no está aquí; se abre solo cuando llegue)"),
	T(BODY_NOT_KEPT, "(sealed: you wrote it for others and kept no copy)", "(sellado: lo escribiste para otros y no guardaste copia)"),
	T(BODY_OTHERS, "(sealed: for others)", "(sellado: es para otras personas)"),
	T(BODY_FOCAL, "(not shown: a reporter's, for focal points alone)", "(no se muestra: es de un reportante, solo para puntos focales)"),
	T(BODY_NOT_ENTITLED, "(not shown: its author's role does not allow it)", "(no se muestra: el papel de quien lo escribió no lo permite)"),
	T(BODY_BROKEN, "(its content was not made as it should be; nobody can open it)", "(su contenido no está hecho como debe ser; nadie lo puede abrir)"),
	T(BODY_REDACTED, "(hidden)", "(oculto)"),
	T(MARK_QUARANTINED, "(in quarantine) ", "(en cuarentena) "),
	T(MARK_OVER, "(over) ", "(vencido) "),
	T(SHOW_OVER, "over:     it is handed on to nobody any more, and its content goes from here once it was here for as long as it was meant to be",
	  "vencido:  ya no se pasa a nadie, y su contenido se borra de aquí cuando haya estado el tiempo previsto"),
	T(MARK_LEFT, "(left in quarantine) ", "(dejado en cuarentena) "),
	T(QUARANTINE_EMPTY, "Nothing is in quarantine.", "No hay nada en cuarentena."),
	T(QUARANTINE_DECIDE, "Read each with care: a seized device may have written it. To accept one for everybody: vereda review ID --accept   To leave it: vereda review ID --leave",
	  "Lee cada uno con cuidado: puede haberlo escrito un equipo decomisado. Para aceptarlo para todos: vereda review ID --accept   Para dejarlo: vereda review ID --leave"),
	T(QUARANTINE_OTHERS, "Do not rely on these: whoever wrote them has no role in the group now. A coordinator decides: vereda review ID --accept",
	  "No te fíes de estos: quien los escribió ahora no tiene papel en el grupo. Decide la coordinación: vereda review ID --accept"),
	T(IMPORT_QUARANTINED, "Of the new ones {0} are in quarantine and in no list, as whoever wrote them has no role in the group: vereda list --quarantined",
	  "De los nuevos, {0} están en cuarentena y en ninguna lista, porque quien los escribió no tiene papel en el grupo: vereda list --quarantined"),
	T(QUARANTINE_ONE, "One record is in quarantine and nobody has looked at it: vereda list --quarantined", "Un registro está en cuarentena y nadie lo ha mirado: vereda list --quarantined"),
	T(QUARANTINE_WAITING, "{0} records are in quarantine and nobody has looked at them: vereda list --quarantined",
	  "{0} registros están en cuarentena y nadie los ha mirado: vereda list --quarantined"),
	T(SHOW_AUDIENCE, "for:      {0}", "para:     {0}"),
	T(AUDIENCE_EVERYONE, "everyone but couriers", "todos menos los mensajeros"),
	T(AUDIENCE_MEMBERS, "members", "integrantes"),
	T(AUDIENCE_NAMED, "only those it was written for", "solo las personas para quienes se escribió"),
	T(SHOW_NOT_ENTITLED, "aside:    its author's role does not allow writing it, so it is in no list", "aparte:   el papel de quien lo escribió no lo permite, así que no está en ninguna lista"),
	T(SHOW_REDACTED, "hidden:   by {0}, {1}. Its text is erased from devices 30 days after that", "oculto:   por {0}, {1}. Su texto se borra de los equipos 30 días después"),
	T(SHOW_ERASED, "hidden:   by {0}, {1}. Its text is gone from this device", "oculto:   por {0}, {1}. Su texto ya no está en este equipo"),
	T(SHOW_REDACTED_SOMEHOW, "hidden:   by a redaction that cannot be read now", "oculto:   por una ocultación que ahora no se puede leer"),
	T(SHOW_QUARANTINED, "aside:    in quarantine: {0} removed its author, {1}", "aparte:   en cuarentena: {0} retiró a quien lo escribió, {1}"),
	T(SHOW_QUARANTINED_UNKNOWN, "aside:    in quarantine: no admission of its author counts", "aparte:   en cuarentena: ninguna admisión de quien lo escribió vale"),
	T(SHOW_REASON, "reason:   {0}", "motivo:   {0}"),
	T(SHOW_LEFT, "          A coordinator looked at it and left it there.", "          La coordinación lo miró y lo dejó ahí."),
	T(SHOW_HIDING_LEFT, "shown:    {0}, who was removed, hid it; that does not count. To hide it after all: vereda review {1} --accept",
	  "visible:  lo ocultó {0}, a quien retiraron, y eso no vale. Para ocultarlo de todos modos: vereda review {1} --accept"),
	T(SHOW_REVIEW, "          To accept it for everybody: vereda review {0} --accept", "          Para aceptarlo para todos: vereda review {0} --accept"),

	/* redact */
	T(SUM_REDACT, "hide a record everywhere, and erase its text in time", "ocultar un registro en todas partes, y borrar su texto con el tiempo"),
	T(HELP_REDACT,
	  "Examples:\n"
	  "  vereda redact 3fa2c1\n"
	  "  vereda redact 3fa2c1 --reason \"It names somebody\"\n"
	  "  vereda redact 3fa2c1 --yes\n\n"
	  "Hides a record at once, here and on every device that hears of it. Its text is erased from them 30 days later; that it was there stays\n"
	  "known. What others copied, printed or remember is not hidden. Who wrote a record can redact it, on any device of theirs, and so can\n"
	  "coordinators. Corrections of a record are records of their own: redact each. Asks for the first 6 digits of the id to be typed.\n\n"
	  "  --reason TEXT        why; who can read the redaction can read it, so name nobody\n"
	  "  --yes                do not ask",
	  "Ejemplos:\n"
	  "  vereda redact 3fa2c1\n"
	  "  vereda redact 3fa2c1 --reason \"Nombra a alguien\"\n"
	  "  vereda redact 3fa2c1 --yes\n\n"
	  "Oculta un registro de inmediato, aquí y en cada equipo que se entere. Su texto se borra de ellos 30 días después; que existió se sigue\n"
	  "sabiendo. Lo que otros copiaron, imprimieron o recuerdan no se oculta. Lo puede ocultar quien lo escribió, desde cualquier equipo suyo,\n"
	  "y también la coordinación. Las correcciones son registros aparte: oculta cada una. Pide escribir las 6 primeras cifras del identificador.\n\n"
	  "  --reason TEXTO       por qué; lo lee quien puede leer la ocultación, así que no nombres a nadie\n"
	  "  --yes                no preguntar"),
	T(REDACT_CONTROL, "{0} is an act of a coordinator, and those cannot be hidden; nothing was changed",
	  "{0} es un acto de la coordinación, y esos no se pueden ocultar; no se cambió nada"),
	T(HINT_REDACT_CONTROL, "See what was done with: vereda status --acts", "Mira lo que se hizo con: vereda status --acts"),
	T(REDACT_REDACTION, "{0} is itself a redaction, and those cannot be hidden; nothing was changed",
	  "{0} ya es una ocultación, y esas no se pueden ocultar; no se cambió nada"),
	T(HINT_REDACT_REDACTION, "To say it again after all, write a new record.", "Si hay que decirlo otra vez, escribe un registro nuevo."),
	T(REDACT_REMOVED, "This device has no role in the group now, so nobody would follow its redaction; nothing was changed",
	  "Este equipo ahora no tiene papel en el grupo, así que nadie seguiría su ocultación; no se cambió nada"),
	T(REDACT_NOT_OURS, "Only who wrote a record, or a coordinator, can hide it, and this one is {0}'s; nothing was changed",
	  "Solo quien escribió un registro, o la coordinación, lo puede ocultar, y este es de {0}; no se cambió nada"),
	T(HINT_REDACT_OTHERS, "Ask who wrote it, or a coordinator; see who they are with: vereda members",
	  "Pídelo a quien lo escribió o a la coordinación; mira quiénes son con: vereda members"),
	T(REDACT_WHAT, "Hiding {0}, which {1} wrote on {2}. You cannot take it back; only if this device is removed from the group before its text is erased may it be shown again. Copies that others made, on paper or elsewhere, stay.",
	  "Se oculta {0}, que escribió {1} el {2}. No puedes deshacerlo; solo si este equipo es retirado del grupo antes de que se borre el texto se puede volver a mostrar. Las copias que otros hicieron, en papel o en otra parte, se quedan."),
	T(REDACT_ASK, "Type {0} to go on: ", "Escribe {0} para seguir: "),
	T(REDACT_UNCONFIRMED, "Hiding {0} was not confirmed; nothing was changed", "No se confirmó ocultar {0}; no se cambió nada"),
	T(HINT_REDACT_YES, "Run it at a terminal and type the first 6 digits, or repeat with --yes.", "Hazlo en una terminal y escribe las 6 primeras cifras, o repite con --yes."),
	T(REDACT_FAILED, "{0} could not be hidden", "No se pudo ocultar {0}"),
	T(REDACTED, "Hidden: {0}\nIt is not shown any more here, nor on any device that hears of it; its text is erased from them after {1} days. What others copied or printed is not.\nNext step: sync, so that the others hear of it.",
	  "Oculto: {0}\nYa no se muestra aquí, ni en ningún equipo que se entere; su texto se borra de ellos después de {1} días. Lo que otros copiaron o imprimieron, no.\nSiguiente paso: intercambiar, para que los demás se enteren."),
	T(REDACTED_UNSAID, "{0} is hidden; only saying so did not work", "{0} está oculto; solo falló decirlo"),
	T(REDACTED_ALREADY, "{0} is hidden already; nothing was changed.", "{0} ya estaba oculto; no se cambió nada."),
	T(REDACT_VERSIONS, "Other versions of it are still shown: {0}. Hide each that says the same.", "Todavía se muestran otras versiones: {0}. Oculta cada una que diga lo mismo."),

	/* secrets, the vault */
	T(ASK_PASSPHRASE, "Passphrase of this store: {0}{1}", "Contraseña de este almacén: {0}{1}"),
	T(ASK_PASSPHRASE_OR_CARRY, "Passphrase of this store (Enter alone: only carry the sealed files, unopened): {0}{1}",
	  "Contraseña de este almacén (solo Enter: llevar los archivos sellados sin abrirlos): {0}{1}"),
	T(ASK_PASSPHRASE_AGAIN, "That is not it. Passphrase of this store: {0}{1}", "No es esa. Contraseña de este almacén: {0}{1}"),
	T(ASK_FIRST, "Choose a passphrase for this store (four words that nobody would guess): {0}{1}",
	  "Elige una contraseña para este almacén (cuatro palabras que nadie adivinaría): {0}{1}"),
	T(ASK_NEW, "New passphrase: {0}{1}", "Contraseña nueva: {0}{1}"),
	T(ASK_AGAIN, "The same once more: {0}{1}", "Otra vez la misma: {0}{1}"),
	T(SECRET_UNREADABLE, "The passphrase could not be read from {0}; nothing was changed", "No se pudo leer la contraseña de {0}; no se cambió nada"),
	T(SECRET_EMPTY, "No passphrase was given; nothing was changed", "No se dio ninguna contraseña; no se cambió nada"),
	T(SECRET_LONG, "What {0} holds is too long for a passphrase; nothing was changed", "Lo que contiene {0} es demasiado largo para una contraseña; no se cambió nada"),
	T(SECRET_LINES, "{0} holds more than one line, and a passphrase is one; nothing was changed",
	  "{0} contiene más de una línea, y una contraseña es una sola; no se cambió nada"),
	T(HINT_SECRET_FILE, "The passphrase must be in it alone, on one line.", "La contraseña debe estar sola, en una única línea."),
	T(SECRET_SHORT, "A passphrase needs at least {0} characters; nothing was changed", "Una contraseña necesita al menos {0} caracteres; no se cambió nada"),
	T(HINT_SECRET_SHORT, "Four words that do not belong together are easy to keep and hard to guess.",
	  "Cuatro palabras sin relación entre sí se recuerdan bien y son difíciles de adivinar."),
	T(SECRET_DIFFER, "The two are not the same; nothing was changed", "No son iguales; no se cambió nada"),
	T(HINT_SECRET_DIFFER, "Run it again and type slowly.", "Repítelo y escribe despacio."),
	T(SECRET_NOBODY, "A passphrase is needed, and nobody is there to type it", "Hace falta una contraseña y no hay nadie para escribirla"),
	T(HINT_SECRET_NOBODY, "Run it at a terminal, or with --passphrase-file FILE.", "Hazlo en una terminal, o con --passphrase-file ARCHIVO."),
	T(PASSPHRASE_WRONG, "That passphrase does not open this store; nothing was changed", "Esa contraseña no abre este almacén; no se cambió nada"),
	T(HINT_PASSPHRASE_WRONG, "Look at the keyboard's layout and capitals, and try again. Nothing is lost by trying.",
	  "Revisa el idioma del teclado y las mayúsculas y prueba otra vez. Por probar no se pierde nada."),
	T(LOCKED, "The store in {0} is locked", "El almacén en {0} está cerrado"),
	T(HINT_LOCKED, "vereda unlock, where veredad runs; else run the command at a terminal, or with --passphrase-file FILE.",
	  "vereda unlock, si veredad está en marcha; si no, haz la orden en una terminal o con --passphrase-file ARCHIVO."),
	T(NOT_SEALED, "The store in {0} has no passphrase: whoever holds the disk can read it; nothing was done",
	  "El almacén en {0} no tiene contraseña: quien tenga el disco puede leerlo; no se hizo nada"),
	T(HINT_NOT_SEALED, "vereda passphrase gives it one (--new-passphrase-file FILE without a terminal).",
	  "vereda passphrase le pone una (--new-passphrase-file ARCHIVO si no hay terminal)."),
	T(START_LOCKED, "The store in {0} is locked.\nNext step: vereda unlock, where veredad runs; else the passphrase is asked for by each command.",
	  "El almacén en {0} está cerrado.\nSiguiente paso: vereda unlock, si veredad está en marcha; si no, cada orden pide la contraseña."),
	T(LOCK_DONE, "Locked: veredad has forgotten the keys. It exchanges nothing over the network until vereda unlock.",
	  "Cerrado: veredad olvidó las llaves. No intercambia nada por la red hasta vereda unlock."),
	T(LOCK_FAILED, "veredad did not lock the store", "veredad no cerró el almacén"),
	T(HINT_LOCK_FAILED, "Stop veredad, or switch the machine off: then it is locked.", "Detén veredad, o apaga el equipo: así queda cerrado."),
	T(LOCK_NO_DAEMON, "veredad is not running, so it holds no keys", "veredad no está en marcha, así que no tiene las llaves"),
	T(HINT_LOCK_NO_DAEMON, "The store is locked already; each command asks for the passphrase.", "El almacén ya está cerrado; cada orden pide la contraseña."),
	T(LOCK_READABLE, "The store has no passphrase: there is nothing to lock", "El almacén no tiene contraseña: no hay nada que cerrar"),
	T(HINT_LOCK_READABLE, "vereda passphrase seals it.", "vereda passphrase lo sella."),
	T(UNLOCK_DONE, "Unlocked: veredad works, and lends the key to your commands until vereda lock.",
	  "Abierto: veredad trabaja y presta la llave a tus órdenes hasta vereda lock."),
	T(UNLOCK_FAILED, "veredad did not take the key", "veredad no aceptó la llave"),
	T(HINT_UNLOCK_FAILED, "Look at its log, and start it again.", "Mira su registro y vuelve a iniciarlo."),
	T(UNLOCK_NO_DAEMON, "The passphrase is right, but veredad is not running, so nobody keeps the key", "La contraseña es correcta, pero veredad no está en marcha y nadie guarda la llave"),
	T(HINT_UNLOCK_NO_DAEMON, "Start veredad and repeat it; without veredad each command asks for the passphrase.",
	  "Inicia veredad y repítelo; sin veredad cada orden pide la contraseña."),
	T(PASSPHRASE_FAILED, "The passphrase could not be changed; those that opened the store still do", "No se pudo cambiar la contraseña; las que abrían el almacén lo siguen abriendo"),
	T(PASSPHRASE_CHANGED, "The passphrase is changed (slot {0}); the old one opens nothing here any more. A copy of the disk made before it still opens with the old one.",
	  "La contraseña cambió (ranura {0}); la anterior ya no abre nada aquí. Una copia del disco hecha antes se sigue abriendo con la anterior."),
	T(PASSPHRASE_ADDED, "A further passphrase opens the store (slot {0}).", "Otra contraseña más abre el almacén (ranura {0})."),
	T(TOKEN_ADDED, "The key file opens the store (slot {0}). Keep it on a stick that you can pull: veredad --token FILE locks within a second when it goes.",
	  "El archivo de llave abre el almacén (ranura {0}). Guárdalo en una memoria que puedas sacar: veredad --token ARCHIVO cierra en un segundo cuando desaparece."),
	T(TOKEN_FAILED, "The key file {0} cannot be used; nothing was changed", "El archivo de llave {0} no sirve; no se cambió nada"),
	T(HINT_TOKEN, "Name a new file, or one of at least 32 random bytes, in a folder that you may write to.",
	  "Nombra un archivo nuevo, o uno de al menos 32 bytes al azar, en una carpeta donde puedas escribir."),
	T(SLOT_PASSPHRASE, "{0}  passphrase", "{0}  contraseña"),
	T(SLOT_TOKEN, "{0}  key file", "{0}  archivo de llave"),
	T(SLOT_REMOVED, "Slot {0} opens nothing any more. On flash memory an old copy of it may survive.", "La ranura {0} ya no abre nada. En memorias flash puede sobrevivir una copia vieja."),
	T(LAST_SLOT, "Slot {0} holds the only passphrase of this store; it was not removed", "La ranura {0} tiene la única contraseña de este almacén; no se quitó"),
	T(HINT_LAST_SLOT, "Add another first: vereda passphrase --add.", "Añade otra antes: vereda passphrase --add."),
	T(SLOT_NONE, "Nothing opens this store by a slot \"{0}\"; nothing was removed", "Nada abre este almacén por una ranura \"{0}\"; no se quitó nada"),
	T(HINT_SLOT_NONE, "See which there are: vereda passphrase --list", "Mira cuáles hay: vereda passphrase --list"),
	T(SLOTS_FULL, "All slots are in use, so nothing was added; what opened the store still does",
	  "Todas las ranuras están en uso, así que no se añadió nada; lo que abría el almacén lo sigue abriendo"),
	T(HINT_SLOTS_FULL, "Remove one that nobody needs: vereda passphrase --list, then --remove NUMBER.",
	  "Quita una que nadie necesite: vereda passphrase --list, y luego --remove NÚMERO."),
	T(SEAL_DONE, "The store is sealed (slot {0}): without the passphrase nobody reads it. What this disk held readable before may survive in places that nobody can overwrite.",
	  "El almacén está sellado (ranura {0}): sin la contraseña nadie lo lee. Lo que antes estaba legible en este disco puede sobrevivir donde nadie puede sobrescribir."),
	T(SEAL_FAILED, "The store could not be sealed; it is as it was", "No se pudo sellar el almacén; está como estaba"),
	T(HINT_SEAL_BUSY, "Stop veredad and other commands on this store, and try again.", "Detén veredad y las demás órdenes sobre este almacén y prueba otra vez."),
	T(WIPE_WORD, "wipe", "borrar"),
	T(WIPE_WHAT, "Everything in {0} will be gone for ever: records, keys, your place in every group. Others keep what they have.",
	  "Todo lo de {0} desaparecerá para siempre: registros, llaves, tu lugar en cada grupo. Las demás personas conservan lo suyo."),
	T(WIPE_ASK, "Type the word {0} to go on: {1}", "Escribe la palabra {0} para seguir: {1}"),
	T(WIPE_UNCONFIRMED, "Nothing was wiped", "No se borró nada"),
	T(HINT_WIPE_YES, "Type the word at a terminal, or repeat with --yes.", "Escribe la palabra en una terminal, o repite con --yes."),
	T(WIPE_DONE, "Wiped: the keys first, then all files of the store in {0}.", "Borrado: primero las llaves, luego todos los archivos del almacén en {0}."),
	T(WIPE_FLASH, "Nobody can promise what flash memory keeps of overwritten bytes; if the store was sealed, what survives opens only with an old copy of a key slot and its passphrase.",
	  "Nadie puede prometer qué conserva una memoria flash de lo sobrescrito; si el almacén estaba sellado, lo que sobreviva solo se abre con una copia vieja de una ranura y su contraseña."),
	T(HOME_STRANGER, "In {0} stands a file or folder \"{1}\" that is not vereda's, and a store needs that name; nothing was touched",
	  "En {0} hay un archivo o carpeta \"{1}\" que no es de vereda, y un almacén necesita ese nombre; no se tocó nada"),
	T(HINT_HOME_STRANGER, "Give the store a folder of its own: --home FOLDER", "Dale al almacén una carpeta propia: --home CARPETA"),
	T(STORE_GONE, "The store in {0} is gone: it was wiped, or taken away, while this command ran. What it did last is not stored",
	  "El almacén de {0} ya no está: se borró, o se lo llevaron, mientras corría esta orden. Lo último que hizo no quedó guardado"),
	T(HINT_STORE_GONE, "If you or somebody near you wiped it, all is as it should be. If it stood on a medium that was pulled out, put it back in.",
	  "Si lo borraste tú o alguien cercano, todo está como debe. Si estaba en un medio que se sacó, vuelve a ponerlo."),
	T(KEY_TAKEN, "The store was locked while this command ran, so it forgot the key and ended. What it had confirmed is stored; the rest is not",
	  "El almacén se cerró mientras corría esta orden, así que olvidó la llave y terminó. Lo que había confirmado está guardado; lo demás no"),
	T(HINT_KEY_TAKEN, "After vereda unlock, run the same command again.", "Después de vereda unlock, repite la misma orden."),
	T(LOCK_STOPPED, "NOT LOCKED: veredad (process {0}) does not answer, and has the keys in its memory",
	  "NO ESTÁ CERRADO: veredad (proceso {0}) no responde, y tiene las llaves en la memoria"),
	T(HINT_LOCK_STOPPED, "End it, nothing stored is lost: kill -KILL {0}   Then the store is locked. If that does not help: switch the machine off.",
	  "Termínalo, no se pierde nada guardado: kill -KILL {0}   Así queda cerrado. Si eso no ayuda, apaga el equipo."),
	T(LOCK_OTHERS, "These commands were given the passphrase themselves, and have the store open until they end: process {0}",
	  "A estas órdenes se les dio la contraseña directamente, y tienen abierto el almacén hasta que terminen: proceso {0}"),
	T(WIPE_NO_STORE, "There is no store in {0}; nothing was wiped, and the files there were not touched",
	  "En {0} no hay ningún almacén; no se borró nada, y no se tocaron los archivos que hay ahí"),
	T(WIPE_EMPTY, "There is no store in {0}: the folder is empty, as a wipe leaves it; nothing was wiped now",
	  "En {0} no hay ningún almacén: la carpeta está vacía, como la deja un borrado; ahora no se borró nada"),
	T(HINT_WIPE_NOTHING, "If you did not wipe that folder before, the store stands somewhere else and can still be read: look at --home and $VEREDA_HOME, and repeat.",
	  "Si no borraste antes esa carpeta, el almacén está en otro lugar y todavía se puede leer: revisa --home y $VEREDA_HOME, y repite."),
	T(WIPE_OTHERS, "These files in {0} are not the store's, and stay: {1}", "Estos archivos de {0} no son del almacén, y se quedan: {1}"),
	T(WIPE_ENDED, "Other commands had this store open, and its key in their memory: {0}. They have ended.",
	  "Otras órdenes tenían abierto este almacén, y su llave en la memoria: {0}. Ya terminaron."),
	T(WIPE_HELD, "THE KEYS ARE STILL IN MEMORY: process {0} has this store open and could not be ended. What is on the disk is told above",
	  "LAS LLAVES SIGUEN EN LA MEMORIA: el proceso {0} tiene abierto este almacén y no se pudo terminar. Lo del disco se dice arriba"),
	T(HINT_WIPE_HELD, "Switch this machine off now, hold its button down if you must: that takes the keys out of its memory.",
	  "Apaga este equipo ahora, aunque sea dejando apretado el botón: eso quita las llaves de la memoria."),
	T(WIPE_FAILED, "Not everything in {0} could be wiped", "No se pudo borrar todo lo de {0}"),
	T(HINT_WIPE_FAILED, "Repeat it; or destroy the medium.", "Repítelo; o destruye el medio."),
	T(WIPE_READ_ONLY_SEALED, "Nothing was wiped: {0} can only be read. Its key slots still open the store: whoever has the medium and a passphrase or key file reads everything",
	  "No se borró nada: {0} solo se puede leer. Sus ranuras todavía abren el almacén: quien tenga el medio y una contraseña o un archivo de llave lee todo"),
	T(WIPE_READ_ONLY, "Nothing was wiped: {0} can only be read. The store has no passphrase: whoever has the medium reads everything",
	  "No se borró nada: {0} solo se puede leer. El almacén no tiene contraseña: quien tenga el medio lee todo"),
	T(HINT_WIPE_READ_ONLY, "Destroy the medium. Or, if there is time, make it writable (a stick: move its switch) and repeat: vereda wipe",
	  "Destruye el medio. O, si hay tiempo, quita la protección contra escritura (una memoria USB: mueve su interruptor) y repite: vereda wipe"),
	T(WIPE_MEMORY, "veredad was running: it forgot the keys in its memory and ended.", "veredad estaba en marcha: olvidó las llaves de su memoria y terminó."),

	T(SUM_LOCK, "forget the keys: veredad reads nothing until unlocked", "olvidar las llaves: veredad no lee nada hasta que se abra"),
	T(HELP_LOCK, "Examples:\n  vereda lock\n\n"
	  "veredad ends its sessions, closes the store and starts anew without keys: nothing of the store is left in its memory. It needs the network for nothing then;\n"
	  "sealed files can still be passed on by vereda sync DIR. Commands that run with the key that veredad lent end within a second (exit 12); one that was given the\n"
	  "passphrase itself goes on, and is named. Only for a store with a passphrase.",
	  "Ejemplos:\n  vereda lock\n\n"
	  "veredad termina sus sesiones, cierra el almacén y empieza de nuevo sin llaves: en su memoria no queda nada del almacén. Entonces no usa la red;\n"
	  "vereda sync CARPETA puede seguir llevando archivos sellados. Las órdenes que usan la llave prestada por veredad terminan en un segundo (salida 12); la que recibió\n"
	  "la contraseña directamente sigue, y se nombra. Solo para un almacén con contraseña."),
	T(SUM_UNLOCK, "give veredad the key, typed once for all commands", "dar la llave a veredad, escrita una vez para todas las órdenes"),
	T(HELP_UNLOCK, "Examples:\n  vereda unlock\n  vereda unlock --passphrase-file /media/token/words\n\n"
	  "Asks for the passphrase. While veredad is unlocked it lends the key to commands of the same user.",
	  "Ejemplos:\n  vereda unlock\n  vereda unlock --passphrase-file /media/token/palabras\n\n"
	  "Pide la contraseña. Mientras veredad está abierto, presta la llave a las órdenes del mismo usuario."),
	T(SUM_PASSPHRASE, "seal the store, or change what opens it", "sellar el almacén, o cambiar lo que lo abre"),
	T(HELP_PASSPHRASE, "Examples:\n  vereda passphrase                      seals a readable store; of a sealed one changes the passphrase\n"
	  "  vereda passphrase --add                a second passphrase\n  vereda passphrase --token /media/token/key   a key file, made if it is not there\n"
	  "  vereda passphrase --list\n  vereda passphrase --remove 2\n\n"
	  "No record is written again. Without a terminal: --passphrase-file FILE is the old one, --new-passphrase-file FILE the new one.\n"
	  "Sealing a readable store needs as much room again, and is safe against a power cut; stop veredad before.",
	  "Ejemplos:\n  vereda passphrase                      sella un almacén legible; de uno sellado cambia la contraseña\n"
	  "  vereda passphrase --add                una segunda contraseña\n  vereda passphrase --token /media/llave/key   un archivo de llave, que se crea si no existe\n"
	  "  vereda passphrase --list\n  vereda passphrase --remove 2\n\n"
	  "No se reescribe ningún registro. Sin terminal: --passphrase-file ARCHIVO es la anterior, --new-passphrase-file ARCHIVO la nueva.\n"
	  "Sellar un almacén legible necesita otro tanto de espacio y soporta un corte de luz; antes detén veredad."),
	T(SUM_WIPE, "make everything in this store unreadable for ever", "dejar ilegible para siempre todo lo de este almacén"),
	T(HELP_WIPE, "Examples:\n  vereda wipe\n  vereda wipe --yes\n  kill -USR2 $(pidof veredad)      the same, for a panic button\n\n"
	  "Keys first, in a moment, then veredad and other commands that have the store open are ended, then its files go; works on a full disk and asks for no\n"
	  "passphrase. Other files in that folder stay, backups too. Exit 10: there was no store; 3: some process still has the keys. Others keep what they have: vereda revoke, on another device,\n"
	  "takes this one out of the group.\n"
	  "On flash memory (sticks, SSDs) nobody can promise that overwritten bytes are gone: an old copy of a key slot may survive, and opens with its passphrase\n"
	  "what survives beside it; a store that had no passphrase, without any. If that matters, destroy the medium.",
	  "Ejemplos:\n  vereda wipe\n  vereda wipe --yes\n  kill -USR2 $(pidof veredad)      lo mismo, para un botón de pánico\n\n"
	  "Primero las llaves, en un instante, luego terminan veredad y las demás órdenes que tengan abierto el almacén, y después se van sus archivos; funciona con el\n"
	  "disco lleno y no pide contraseña. Los demás archivos de esa carpeta se quedan, también los respaldos. Salida 10: no había almacén; 3: algún proceso aún tiene\n"
	  "las llaves. Las demás personas conservan lo suyo:\n"
	  "vereda revoke, en otro equipo, saca a este del grupo.\n"
	  "En memorias flash (USB, SSD) nadie puede prometer que lo sobrescrito ya no esté: puede sobrevivir una copia vieja de una ranura, que con su contraseña abre\n"
	  "lo que sobreviva al lado; y lo de un almacén sin contraseña se lee sin ella. Si eso importa, destruye el medio."),
	/* backup */
	T(SUM_BACKUP, "a copy of the whole store in one sealed file; try it; restore it",
	  "una copia de todo el almacén en un archivo sellado; probarla; recuperarla"),
	T(HELP_BACKUP,
	  "Examples:\n"
	  "  vereda backup create /media/usb/photos-2024.dat\n"
	  "  vereda backup create --paper /media/usb/photos-2024.dat\n"
	  "  vereda backup verify /media/usb/photos-2024.dat\n"
	  "  vereda backup restore /media/usb/photos-2024.dat\n\n"
	  "create   copies all of this store, keys too, while veredad and other commands go on. You choose a passphrase for the backup: it need not\n"
	  "         be the store's, and without it nobody can ever open the file, not even you. The file looks like random bytes.\n"
	  "verify   really restores it, sealed and out of sight, and compares every record. Do it once for each backup.\n"
	  "restore  makes a store where none is. It is this device again: sync it before you write with it, and put away the old one if it lives.\n\n"
	  "  --paper              create: sealed to your groups' paper keys (vereda group paper), and to no passphrase unless you give one.\n"
	  "                       verify, restore: opened with the twelve words\n"
	  "  --backup-passphrase-file FILE   the backup's passphrase from a file\n"
	  "  --words-file FILE    the words of the paper key from a file\n"
	  "  --scratch FOLDER     verify: where there is room to restore (else $TMPDIR, or /tmp)\n"
	  "  --passphrase-file FILE, --no-passphrase   restore: what the new store is sealed with, or that it is readable\n"
	  "  --yes                create: put it in the place of a file that is there",
	  "Ejemplos:\n"
	  "  vereda backup create /media/usb/fotos-2024.dat\n"
	  "  vereda backup create --paper /media/usb/fotos-2024.dat\n"
	  "  vereda backup verify /media/usb/fotos-2024.dat\n"
	  "  vereda backup restore /media/usb/fotos-2024.dat\n\n"
	  "create   copia todo este almacén, también las llaves, mientras veredad y otras órdenes siguen. Eliges una contraseña para el respaldo: no\n"
	  "         tiene que ser la del almacén, y sin ella nadie podrá abrir el archivo, tampoco tú. El archivo parece datos al azar.\n"
	  "verify   lo recupera de verdad, sellado y sin que se vea, y compara cada registro. Hazlo una vez con cada respaldo.\n"
	  "restore  crea un almacén donde no hay ninguno. Es otra vez este equipo: intercambia antes de escribir con él, y guarda el viejo si aún existe.\n\n"
	  "  --paper              create: sellado para las llaves en papel de tus grupos (vereda group paper), sin contraseña si no das una.\n"
	  "                       verify, restore: se abre con las doce palabras\n"
	  "  --backup-passphrase-file ARCHIVO   la contraseña del respaldo, de un archivo\n"
	  "  --words-file ARCHIVO   las palabras de la llave en papel, de un archivo\n"
	  "  --scratch CARPETA    verify: dónde hay espacio para recuperarlo (si no, $TMPDIR o /tmp)\n"
	  "  --passphrase-file ARCHIVO, --no-passphrase   restore: con qué se sella el almacén nuevo, o que quede legible\n"
	  "  --yes                create: ponerlo en el lugar de un archivo que ya existe"),
	T(BACKUP_SUBCOMMAND, "\"vereda backup\" has no such thing; there are create, verify and restore",
	  "\"vereda backup\" no tiene eso; hay create, verify y restore"),
	T(BACKUP_ASK, "Passphrase of the backup (it does not appear while you type): ", "Contraseña del respaldo (no se ve al escribir): "),
	T(BACKUP_ASK_STORE, "Choose a passphrase for the new store (it does not appear while you type): ",
	  "Elige una contraseña para el almacén nuevo (no se ve al escribir): "),
	T(BACKUP_DONE, "Backup in {0}: {1} records, {2} bytes. It was read back, and is whole.\n"
	  "Next step: vereda backup verify {0}      Then keep it away from this device; whoever opens it has all of it.",
	  "Respaldo en {0}: {1} registros, {2} bytes. Se volvió a leer y está completo.\n"
	  "Siguiente paso: vereda backup verify {0}      Después guárdalo lejos de este equipo; quien lo abra lo tiene todo."),
	T(BACKUP_SOUND, "The backup {0} of {3} is good: {1} records, {2} bytes, restored for a trial and each one checked. Nothing of that is left.",
	  "El respaldo {0} del {3} está bien: {1} registros, {2} bytes, recuperados de prueba y revisados uno por uno. De la prueba no quedó nada."),
	T(BACKUP_RESTORED, "Restored in {4}: {1} records, as they stood on {3}.", "Recuperado en {4}: {1} registros, como estaban el {3}."),
	T(BACKUP_RESTORED_UNSAID, "the store is restored; only saying so did not work", "el almacén está recuperado; solo falló decirlo"),
	T(BACKUP_COPY, "This is the same device again. Next step: sync it before you write with it, so that it learns what it had written since. If the\n"
	  "old device still works, use only one of the two; if it fell into other hands, ask a coordinator to remove it: vereda revoke",
	  "Este es otra vez el mismo equipo. Siguiente paso: intercambia antes de escribir con él, para que sepa lo que ya había escrito. Si el\n"
	  "equipo viejo aún funciona, usa solo uno de los dos; si cayó en otras manos, pide a la coordinación que lo retire: vereda revoke"),
	T(BACKUP_FAILED, "No backup could be made in {0}, and nothing half made is there", "No se pudo hacer el respaldo en {0}, y no quedó nada a medias"),
	T(HINT_BACKUP_SOURCE, "See whether this store is sound: vereda check   If it is, that disk or stick gave back other bytes than were written: use another.",
	  "Mira si este almacén está bien: vereda check   Si lo está, ese disco o memoria USB devolvió otros datos: usa otro."),
	T(BACKUP_OPEN_FAILED, "The backup {0} could not be opened", "No se pudo abrir el respaldo {0}"),
	T(BACKUP_VERIFY_FAILED, "The backup {0} could not be tried; it is as it was", "No se pudo probar el respaldo {0}; está como estaba"),
	T(BACKUP_RESTORE_FAILED, "The backup {0} could not be restored; no store was made, and the file is as it was",
	  "No se pudo recuperar el respaldo {0}; no se creó ningún almacén, y el archivo está como estaba"),
	T(BACKUP_STOPPED, "Interrupted: nothing was changed, and nothing half made is left", "Interrumpido: no se cambió nada, y no quedó nada a medias"),
	T(HINT_BACKUP_STOPPED, "Run the same command again when there is time.", "Repite la misma orden cuando haya tiempo."),
	T(BACKUP_NO_PAPER, "None of your groups has a paper key that it could be sealed to; nothing was made",
	  "Ninguno de tus grupos tiene una llave en papel para sellarlo; no se hizo nada"),
	T(HINT_BACKUP_NO_PAPER, "A coordinator makes one with: vereda group paper   Or leave --paper out, and choose a passphrase.",
	  "La coordinación hace una con: vereda group paper   O quita --paper y elige una contraseña."),
	T(BACKUP_WRONG, "That is not the passphrase of the backup {0}; nothing was changed", "Esa no es la contraseña del respaldo {0}; no se cambió nada"),
	T(HINT_BACKUP_WRONG, "It is the one chosen when the backup was made, perhaps not the store's. If it was sealed to a paper key: --paper   If you are sure of it, the start of that file may be damaged: try another copy of it.",
	  "Es la que se eligió al hacer el respaldo, tal vez no la del almacén. Si se selló para una llave en papel: --paper   Si no tienes duda, puede que el comienzo de ese archivo esté dañado: prueba otra copia."),
	T(BACKUP_PAPER_WRONG, "The backup {0} was not sealed to that paper key; nothing was changed", "El respaldo {0} no se selló para esa llave en papel; no se cambió nada"),
	T(HINT_BACKUP_PAPER_WRONG, "Try another paper key of the group, or its passphrase: leave --paper out.", "Prueba otra llave en papel del grupo, o la contraseña: quita --paper."),
	T(BACKUP_TORN, "The end of the backup {0} is missing, so it cannot be used; nothing was changed", "Al respaldo {0} le falta el final, así que no sirve; no se cambió nada"),
	T(BACKUP_LONGER, "Something was added behind the end of the backup {0}, so it is not used; nothing was changed",
	  "Al respaldo {0} se le añadió algo detrás del final, así que no se usa; no se cambió nada"),
	T(BACKUP_SPOILT, "The backup {0} is not as it was made, so it cannot be used; nothing was changed",
	  "El respaldo {0} no está como se hizo, así que no sirve; no se cambió nada"),
	T(HINT_BACKUP_SPOILT, "If there is another copy of it, or an older backup, use that one. If the store still lives, run vereda check there, and make a new backup now.",
	  "Si hay otra copia, o un respaldo más viejo, usa ese. Si el almacén todavía existe, ejecuta allí vereda check y haz ahora un respaldo nuevo."),
	T(BACKUP_NONE, "{0} is no backup for a passphrase, or its start is damaged; nothing was changed",
	  "{0} no es un respaldo con contraseña, o está dañado al comienzo; no se cambió nada"),
	T(HINT_BACKUP_NONE, "Check that it is the right file. If it was sealed to a paper key: --paper", "Revisa que sea el archivo correcto. Si se selló para una llave en papel: --paper"),
	T(BACKUP_HOME, "There is a store in {0} already; it was not touched", "En {0} ya hay un almacén; no se tocó"),
	T(HINT_BACKUP_HOME, "Name another folder: vereda --home FOLDER backup restore FILE", "Indica otra carpeta: vereda --home CARPETA backup restore ARCHIVO"),
	T(SCRATCH_NONE, "{0} is no folder; nothing was tried", "{0} no es una carpeta; no se probó nada"),
	T(HINT_SCRATCH, "Name a folder on a disk with room for the whole store: --scratch FOLDER", "Indica una carpeta en un disco con espacio para todo el almacén: --scratch CARPETA"),
	T(WARN_NO_BACKUP, "There is no backup of this store: if this device is lost, so are its keys and what nobody else has yet.",
	  "No hay respaldo de este almacén: si se pierde este equipo, se pierden sus llaves y lo que nadie más tiene todavía."),
	T(WARN_OLD_BACKUP, "The last backup of this store is {0} days old.", "El último respaldo de este almacén tiene {0} días."),
	T(NEXT_BACKUP, "Run vereda backup create FILE   onto a stick that you keep elsewhere.", "Ejecuta vereda backup create ARCHIVO   en una memoria USB que guardes en otra parte."),

	/* the machine */
	T(WARN_SWAP, "This machine swaps to a disk: what you read in vereda may come to rest there, readable.",
	  "Este equipo usa intercambio en disco: lo que lees en vereda puede quedar ahí, legible."),
	T(NEXT_SWAP, "Switch it off (as root: swapoff -a, and take it out of /etc/fstab), or encrypt it.",
	  "Desactívalo (como root: swapoff -a, y quítalo de /etc/fstab), o cífralo."),
	T(WARN_WALLS, "veredad lacks a wall: {0}. It works; a fault in it would be worth more to whoever finds one.",
	  "A veredad le falta un muro: {0}. Funciona; un fallo en él le serviría más a quien lo encuentre."),
	T(NEXT_WALLS, "Use a newer Linux kernel, and one that has it switched on (Debian 12 does), then start veredad again.",
	  "Usa un núcleo Linux más nuevo, y que lo tenga activado (como Debian 12), y luego inicia veredad otra vez."),
	T(WARN_LOCKED, "The store is locked: who is silent, backups, and what else takes its key is not told here.",
	  "El almacén está cerrado: quién calla, los respaldos y lo demás que necesita su llave no se dice aquí."),
	T(NEXT_WALL_CORE, "Let nothing set its limits anew where it is started (ulimit -c 0), then start veredad again.",
	  "Que nada cambie sus límites donde se inicia (ulimit -c 0), y luego inicia veredad otra vez."),
	T(NEXT_WALL_ROOT, "Start veredad as a user of its own, not as root, with a store in that user's own folder.",
	  "Inicia veredad con un usuario propio, no como root, y con el almacén en una carpeta de ese usuario."),
	T(WARN_MEMORY, "The keys could not be kept out of the swap: this user may lock too little memory.",
	  "No se pudo mantener las llaves fuera del intercambio: este usuario puede fijar muy poca memoria."),
	T(NEXT_MEMORY, "Raise its limit where it is started (ulimit -l 64 or more; with systemd: LimitMEMLOCK=64K), start it again, or switch the swap off.", "Sube su límite donde se inicia (ulimit -l 64 o más; con systemd: LimitMEMLOCK=64K) y vuelve a iniciarlo, o desactiva el intercambio."),
	T(REPORT_DONE, "The report is in {0}. Read it before you give it to anybody: it should tell nothing of you.",
	  "El informe está en {0}. Léelo antes de dárselo a nadie: no debería decir nada de ti."),
	T(REPORT_FAILED, "The report could not be written to {0}", "No se pudo escribir el informe en {0}"),
};
