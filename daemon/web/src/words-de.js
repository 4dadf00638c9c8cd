// Every text of the page in German.

/** @type {typeof import('./words-en.js').en} */
export const de = {
    language: 'Deutsch',
    locale: 'de-DE',

    now: 'jetzt',
    seconds: (n) => `${n} s`,
    minutes: (n) => `${n} min`,
    hours: (n) => `${n} h`,
    old: (age) => `${age} alt`,
    ago: (age) => `vor ${age}`,
    lastHeard: (time) => `zuletzt gehört ${time}`,
    neverHeard: 'noch nicht gehört',
    since: (time, age) => `seit ${time}, ${age}`,

    allRooms: 'Alle Räume',
    connected: 'Live',
    connecting: 'Verbinde',
    disconnected: 'Nicht verbunden',
    silent: 'Stumm',
    brokerUp: 'Broker',
    brokerSlow: (ms) => `Broker ${ms} ms`,
    brokerDown: 'Kein Broker',
    diskUp: 'Platte',
    diskDown: 'Platte gestört',

    hubGone: (time) => `Keine Verbindung zum Hub seit ${time}.`,
    hubGoneNow: 'Keine Verbindung zum Hub.',
    hubSilent: (age) => `Der Hub hat seit ${age} nichts gesagt.`,
    hubSaid: (reason) => `Er sagte: ${reason}.`,
    nothingIsNew: 'Nichts hier ist neu. Bitte nach den Klienten und den Geräten selbst sehen.',
    retryIn: (n) => `Neuer Versuch in ${n} s.`,
    retrying: 'Neuer Versuch.',
    retryNow: 'Jetzt versuchen',
    brokerGone: 'Der Hub hört kein Gerät: Der MQTT-Broker antwortet nicht. Bitte nach dem Broker '
        + 'sehen.',
    diskGone: 'Der Hub kann nicht auf seine Platte schreiben: Ein Stromausfall würde verlieren, was '
        + 'jetzt kommt. Bitte nach der Platte sehen.',
    dropped: (n) => `${n} Nachrichten gingen verloren: Der Hub hatte keinen Platz für sie.`,

    first: 'Zuerst:',
    moreAlarms: (n) => (n === 1 ? '1 weiterer Alarm' : `${n} weitere Alarme`),
    calm: 'Kein Alarm',
    deviceSilent: 'Noch kein Gerät dieses Raums wurde gehört. Bitte eines einschalten.',
    noKeyValue: 'Seine Geräte liefern keine Hauptwerte.',
    noRooms: 'Noch keine Räume. Sie stehen unter „rooms“ in der Konfiguration des Hubs.',
    unassigned: 'Keinem Raum zugeordnet',
    unassignedHint: 'Den Namen unter „rooms“ in der Konfiguration des Hubs eintragen.',
    waiting: 'Warte auf den Hub …',

    unknownRoom: (name) => `Es gibt keinen Raum „${name}“.`,
    elsewhere: 'Andere Räume, die jemanden brauchen',
    alarms: 'Alarme',
    lastMinutes: 'Die letzten fünf Minuten',
    stripsHint: 'Auf einem Streifen entlangfahren oder die Pfeiltasten nehmen, um alle zur selben '
        + 'Zeit zu lesen.',
    heard: 'gehört',
    messages: 'Nachrichten',
    lost: 'verloren',
    duplicates: 'wiederholt',
    late: 'verspätet',
    refused: 'unbrauchbar',
    outOfRange: 'außer Bereich',
    skew: 'Uhr weicht ab',
    noSkew: 'keine Uhr',

    high: 'Hoher Alarm',
    medium: 'Mittlerer Alarm',
    low: 'Niedriger Alarm',
    technical: 'technisch',

    foot: 'Die Schutzabschaltungen der Geräte selbst bleiben der Schutz. '
        + 'Diese Seite informiert; sie ist kein medizinisches Alarmsystem.',
    version: (version) => `Lumbar ${version}`,
};
