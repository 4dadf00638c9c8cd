// Every text of the page in English. The German table has the same keys; the type check sees to it.

export const en = {
    language: 'English',
    locale: 'en-GB',

    // Ages and times
    now: 'now',
    seconds: (/** @type {string} */ n) => `${n} s`,
    minutes: (/** @type {string} */ n) => `${n} min`,
    hours: (/** @type {string} */ n) => `${n} h`,
    old: (/** @type {string} */ age) => `${age} old`,
    ago: (/** @type {string} */ age) => `${age} ago`,
    lastHeard: (/** @type {string} */ time) => `last heard ${time}`,
    neverHeard: 'not heard yet',
    since: (/** @type {string} */ time, /** @type {string} */ age) => `since ${time}, ${age}`,

    // Top line
    allRooms: 'All rooms',
    connected: 'Live',
    connecting: 'Connecting',
    disconnected: 'Not connected',
    silent: 'Silent',
    brokerUp: 'Broker',
    brokerSlow: (/** @type {string} */ ms) => `Broker ${ms} ms`,
    brokerDown: 'No broker',
    diskUp: 'Disk',
    diskDown: 'Disk failing',

    // Banners
    hubGone: (/** @type {string} */ time) => `No connection to the hub since ${time}.`,
    hubGoneNow: 'No connection to the hub.',
    hubSilent: (/** @type {string} */ age) => `The hub has said nothing for ${age}.`,
    hubSaid: (/** @type {string} */ reason) => `It said: ${reason}.`,
    nothingIsNew: 'Nothing here is new. Look at the clients and the devices themselves.',
    retryIn: (/** @type {string} */ n) => `Trying again in ${n} s.`,
    retrying: 'Trying again.',
    retryNow: 'Try now',
    brokerGone: 'The hub hears no device: the MQTT broker does not answer. Look at the broker.',
    diskGone: 'The hub cannot write to its disk: a power cut would lose what comes now. '
        + 'Look at the disk.',
    dropped: (/** @type {string} */ n) => `${n} messages were lost: the hub had no room for them.`,

    // Wall
    first: 'First:',
    moreAlarms: (/** @type {number} */ n) => (n === 1 ? '1 more alarm' : `${n} more alarms`),
    calm: 'No alarm',
    deviceSilent: 'No device of this room has been heard yet. Switch one on.',
    noKeyValue: 'Its devices give no key values.',
    noRooms: 'No rooms yet. Add them under "rooms" in the hub\'s configuration.',
    unassigned: 'Not assigned to a room',
    unassignedHint: 'Add the name under "rooms" in the hub\'s configuration.',
    waiting: 'Waiting for the hub …',

    // Treatment
    session: 'Treatment',
    noClient: 'Client not named',
    planned: 'planned',
    paused: 'paused',
    underWay: 'under way',
    left: (/** @type {string} */ time) => `${time} left`,
    over: (/** @type {string} */ time) => `${time} over`,
    phaseOf: (/** @type {number} */ n, /** @type {number} */ of) => `phase ${n} of ${of}`,
    next: (/** @type {string} */ title) => `next: ${title}`,
    lastPhase: 'the last phase',
    askToStop: 'More pain than before the treatment: stop and ask.',
    adverse: 'An adverse event was noted.',

    // Room
    unknownRoom: (/** @type {string} */ name) => `There is no room "${name}".`,
    elsewhere: 'Other rooms that need someone',
    alarms: 'Alarms',
    lastMinutes: 'The last five minutes',
    stripsHint: 'Move along a strip, or use the arrow keys, to read all of them at one time.',
    heard: 'heard',
    messages: 'messages',
    lost: 'lost',
    duplicates: 'repeated',
    late: 'late',
    refused: 'unusable',
    outOfRange: 'out of range',
    skew: 'clock differs',
    noSkew: 'no clock',

    // Marks
    high: 'High alarm',
    medium: 'Medium alarm',
    low: 'Low alarm',
    technical: 'technical',

    foot: 'The device\'s own cut-outs remain the protection. '
        + 'This page informs; it is not a medical alarm system.',
    version: (/** @type {string} */ version) => `Lumbar ${version}`,
};
