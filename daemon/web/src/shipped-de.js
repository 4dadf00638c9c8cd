// What the shipped rules and plans say, in German. By the English words of config/: whoever writes
// their own words there has them shown as they are. tests/browser/modules.mjs knows if one is missing.

/** Titles, first things to do, and what is said to the client. @type {Record<string, string>} */
export const titles = {
    // massage.yaml
    'Skin warming': 'Haut wird warm',
    'Your skin has become warm under the pad.': 'Ihre Haut ist unter dem Wärmekissen warm geworden.',
    'Look whether the pad still heats.': 'Nachsehen, ob das Wärmekissen noch heizt.',
    'Skin warm': 'Haut warm',
    'Your skin has become too warm under the pad.': 'Ihre Haut ist unter dem Wärmekissen zu warm geworden.',
    'Lift the pad, look at the skin.': 'Das Wärmekissen anheben, die Haut ansehen.',
    'Skin hot': 'Haut heiß',
    'The pad is too hot for your skin. It is being taken off.':
        'Das Wärmekissen ist für Ihre Haut zu heiß. Es wird jetzt abgenommen.',
    'Take the pad off now, cool the skin, look at it.':
        'Das Wärmekissen sofort abnehmen, die Haut kühlen und ansehen.',
    'Quarter of the thermal dose': 'Ein Viertel der Wärmedosis',
    'Your skin has had a good part of the warmth that it may have.':
        'Ihre Haut hat einen guten Teil der Wärme bekommen, die sie haben darf.',
    'Look at the skin; go on with less heat.': 'Die Haut ansehen; mit weniger Wärme weitermachen.',
    'Half of the thermal dose': 'Die Hälfte der Wärmedosis',
    'Your skin has had half of the warmth that it may have.':
        'Ihre Haut hat die Hälfte der Wärme bekommen, die sie haben darf.',
    'Stop the heat, look at the skin.': 'Die Wärme beenden, die Haut ansehen.',
    'Thermal dose reached': 'Wärmedosis erreicht',
    'Your skin has had all the warmth that it may have today.':
        'Ihre Haut hat alle Wärme bekommen, die sie heute haben darf.',
    'The phase has stopped. Take the heat off, look at the skin, note what you see; then acknowledge.':
        'Die Phase ist angehalten. Die Wärme abnehmen, die Haut ansehen, den Befund notieren; dann quittieren.',
    'Handle warm': 'Griff warm',
    'The device has become warm and rests for a moment.':
        'Das Gerät ist warm geworden und ruht einen Augenblick.',
    'Put the device down, let it cool.': 'Das Gerät ablegen und abkühlen lassen.',
    'Handle hot': 'Griff heiß',
    'The device is too hot and is put away.': 'Das Gerät ist zu heiß und wird weggelegt.',
    'Put the device down now, switch it off.': 'Das Gerät sofort ablegen und ausschalten.',
    'Pressure over the plan': 'Druck über dem Plan',
    'The pressure is higher than we agreed on.': 'Der Druck ist höher als vereinbart.',
    'Ease off, ask how it feels.': 'Nachlassen und fragen, wie es sich anfühlt.',
    'Frequency off the plan': 'Frequenz neben dem Plan',
    'The device strikes at another pace than planned.': 'Das Gerät klopft in einem anderen Takt als geplant.',
    'Set the pace that the plan says.': 'Den Takt einstellen, den der Plan vorsieht.',
    'Amplitude off the plan': 'Schlagweite neben dem Plan',
    'The device strikes deeper or less deep than planned.':
        'Das Gerät klopft tiefer oder weniger tief als geplant.',
    'Use the head that the plan says, press less.':
        'Den Aufsatz nehmen, den der Plan vorsieht, und weniger drücken.',
    'Long on one region': 'Lange auf einer Region',
    'It is time to go on to another place.': 'Es ist Zeit für eine andere Stelle.',
    'Go on to the next region.': 'Mit der nächsten Region weitermachen.',
    'Device overheated': 'Gerät überhitzt',
    'The device is too warm and is put away.': 'Das Gerät ist zu warm und wird weggelegt.',
    'Take it off the client, switch it off.': 'Es abnehmen und ausschalten.',
    'Motor stalled': 'Motor blockiert',
    'The device has stopped by itself.': 'Das Gerät hat sich selbst angehalten.',
    'Lift the device, look for cloth or hair in it.':
        'Das Gerät anheben, nach Stoff oder Haaren darin sehen.',
    'Sensor fault': 'Fühler gestört',
    'The device has to be changed.': 'Das Gerät muss gewechselt werden.',
    'Stop the heat, use another device.': 'Die Wärme beenden, ein anderes Gerät nehmen.',
    'Supply fault': 'Versorgung gestört',
    'Use another device, have this one looked at.': 'Ein anderes Gerät nehmen, dieses prüfen lassen.',

    // posture.yaml
    'Low back bent far': 'LWS weit gebeugt',
    'Your low back has been bent far for a while.': 'Ihr unterer Rücken ist seit einer Weile weit gebeugt.',
    'Ask to come up, and to bend at the hips.': 'Bitten, sich aufzurichten und in der Hüfte zu beugen.',
    'Near the end of the own range': 'Nahe am Ende des eigenen Umfangs',
    'You have been near the end of what your low back can bend for a while.':
        'Sie sind seit einer Weile nahe am Ende dessen, was Ihr unterer Rücken beugen kann.',
    'Low back bent fast': 'LWS schnell gebeugt',
    'You are bending quickly.': 'Sie beugen sich schnell.',
    'Ask to move more slowly.': 'Bitten, sich langsamer zu bewegen.',
    'Bent forward': 'Vorgebeugt',
    'You are bent forward.': 'Sie sind vorgebeugt.',
    'Ask to sit up.': 'Bitten, sich aufzurichten.',
    'Bent forward for long': 'Lange vorgebeugt',
    'You have been bent forward for a minute.': 'Sie sind seit einer Minute vorgebeugt.',
    'Ask to sit up and to move for a moment.': 'Bitten, sich aufzurichten und kurz zu bewegen.',
    'Bent far forward': 'Weit vorgebeugt',
    'You are bent far forward.': 'Sie sind weit vorgebeugt.',
    'Ask to come up slowly.': 'Bitten, sich langsam aufzurichten.',
    'Bent sideways': 'Seitlich geneigt',
    'You are bent far to one side.': 'Sie sind weit zu einer Seite geneigt.',
    'Ask to sit straight.': 'Bitten, gerade zu sitzen.',
    'Sideways beyond the own range': 'Seitlich über den eigenen Umfang',
    'You are bent further to one side than you usually can.':
        'Sie sind weiter zu einer Seite geneigt, als Sie es sonst können.',
    'Twisted and bent': 'Gedreht und gebeugt',
    'You are bent and twisted at once.': 'Sie sind zugleich gebeugt und gedreht.',
    'Ask to turn with the feet, not with the back.':
        'Bitten, sich mit den Füßen zu drehen, nicht mit dem Rücken.',
    Slouching: 'Rundrücken',
    'You have been slouching for some minutes.': 'Sie sitzen seit einigen Minuten mit rundem Rücken.',
    'Slouching for long': 'Lange Rundrücken',
    'You have been slouching for a quarter of an hour.':
        'Sie sitzen seit einer Viertelstunde mit rundem Rücken.',
    'Ask to stand up and to walk a few steps.': 'Bitten, aufzustehen und ein paar Schritte zu gehen.',
    'Sitting for long': 'Langes Sitzen',
    'It is time to stand up for a moment.': 'Es ist Zeit, kurz aufzustehen.',

    // technical.yaml
    'No posture signal': 'Kein Haltungssignal',
    'Your sensor is not heard at the moment.': 'Ihr Sensor ist gerade nicht zu hören.',
    'Look whether the sensor is on and sits well.': 'Nachsehen, ob der Sensor an ist und gut sitzt.',
    'Sensor off the body': 'Sensor nicht am Körper',
    'Your sensor has come off.': 'Ihr Sensor hat sich gelöst.',
    'Put the sensor on again, or switch it off.': 'Den Sensor wieder anlegen oder ausschalten.',
    'No skin temperature': 'Keine Hauttemperatur',
    'The temperature of your skin is not known at the moment.':
        'Die Temperatur Ihrer Haut ist gerade nicht bekannt.',
    'Stop the heat until the value is back.': 'Die Wärme beenden, bis der Wert wieder da ist.',
    'Skin temperature unknown in the heat': 'Hauttemperatur unbekannt bei Wärme',
    'The temperature of the pad is not known. It is being taken off.':
        'Die Temperatur des Wärmekissens ist nicht bekannt. Es wird jetzt abgenommen.',
    "The pad's temperature cannot be trusted; take it off, look at the skin.":
        'Der Temperatur des Wärmekissens ist nicht zu trauen: abnehmen, die Haut ansehen.',
    'No massage device signal': 'Kein Signal vom Massagegerät',
    'The device is not heard at the moment.': 'Das Gerät ist gerade nicht zu hören.',
    'Stop the heat, look whether the device is on.': 'Die Wärme beenden, nachsehen, ob das Gerät an ist.',
    'Massage device stopped by a fault': 'Massagegerät durch Störung angehalten',
    'Take it off the client.': 'Es abnehmen.',
    'Battery low': 'Akku schwach',
    'Your sensor has to be charged soon.': 'Ihr Sensor muss bald geladen werden.',
    'Charge it after this session.': 'Nach dieser Sitzung laden.',
    'The device has to be charged soon.': 'Das Gerät muss bald geladen werden.',
    'Weak radio': 'Schwacher Funk',
    'Your sensor is hard to hear from here.': 'Ihr Sensor ist von hier schlecht zu hören.',
    'Move the gateway nearer, or what stands between.':
        'Das Gateway näher heranstellen, oder wegräumen, was dazwischen steht.',
    'The device is hard to hear from here.': 'Das Gerät ist von hier schlecht zu hören.',
    'Your sensor is not heard without gaps.': 'Ihr Sensor ist nicht ohne Lücken zu hören.',
    'The device is not heard without gaps.': 'Das Gerät ist nicht ohne Lücken zu hören.',
    'Clock is wrong': 'Uhr geht falsch',
    'The clock of your sensor is wrong.': 'Die Uhr Ihres Sensors geht falsch.',
    'Set its clock after this session.': 'Nach dieser Sitzung die Uhr stellen.',
    'The clock of the device is wrong.': 'Die Uhr des Geräts geht falsch.',
    'Your sensor says things that are not understood.': 'Ihr Sensor sagt etwas, das nicht zu verstehen ist.',
    'Have its firmware looked at.': 'Die Firmware prüfen lassen.',
    'The device says things that are not understood.': 'Das Gerät sagt etwas, das nicht zu verstehen ist.',
    'Messages lost at the broker': 'Nachrichten am Broker verloren',
    'A part of what your device says is not heard.': 'Ein Teil dessen, was Ihr Gerät sagt, ist nicht zu hören.',
    'Look at the broker: a queue is full, or somebody takes too slowly what it sends.':
        'Nach dem Broker sehen: eine Warteschlange ist voll, oder jemand nimmt zu langsam ab, was er sendet.',
    'The broker drops messages: what a device said may not have come here.':
        'Der Broker verwirft Nachrichten: was ein Gerät sagte, kam vielleicht nicht hier an.',

    // Of what the hub has by itself, where an alarm's signal is lost.
    'Signal lost under an alarm': 'Signal verloren unter einem Alarm',
    'What your device measures is not known at the moment.': 'Was Ihr Gerät misst, ist gerade nicht bekannt.',
    'Look at the client, then at the device.': 'Nach dem Klienten sehen, dann nach dem Gerät.',

    // plans.d
    'Lower back': 'Unterer Rücken', 'Posture and exercise': 'Haltung und Übung',
    'Massage, lower back': 'Massage, unterer Rücken', 'Massage, glutes': 'Massage, Gesäß',
    'Massage, hips': 'Massage, Hüfte', 'Warm-up': 'Aufwärmen', Heat: 'Wärme', Massage: 'Massage',
    Percussion: 'Klopfen', Stretching: 'Dehnen', Exercise: 'Übung', Rest: 'Ruhe',
};

/** Sentences that the hub has filled in. @type {Record<string, string>} */
export const sentences = {
    'Skin under the pad {value} for {for}, without heat.':
        'Haut unter dem Wärmekissen {for} lang {value}, ohne Wärme.',
    'Skin under the pad {value} for {for}.': 'Haut unter dem Wärmekissen {for} lang {value}.',
    'Thermal dose {value}, over {limit}.': 'Wärmedosis {value}, über {limit}.',
    'Thermal dose {value}: no more heat in this session.':
        'Wärmedosis {value}: keine Wärme mehr in dieser Sitzung.',
    'Handle {value} for {for}.': 'Griff {for} lang {value}.',
    'Pressure {value} for {for}; the plan allows {limit}.': 'Druck {for} lang {value}; der Plan erlaubt {limit}.',
    "Percussion at {value}; the plan's end is {limit}.": 'Klopfen mit {value}; der Plan geht bis {limit}.',
    "Percussion of {value}; the plan's end is {limit}.": 'Schlagweite {value}; der Plan geht bis {limit}.',
    '{value} on this region; the plan says {limit}.': '{value} auf dieser Region; der Plan sagt {limit}.',
    '{device} says that it is overheated.': '{device} meldet, dass es überhitzt ist.',
    'The motor of {device} is stalled.': 'Der Motor von {device} ist blockiert.',
    '{device} does not trust one of its sensors.': '{device} traut einem seiner Fühler nicht.',
    '{device} has a fault of its power supply.': '{device} hat eine Störung der Versorgung.',
    '{device} has a fault that the hub does not know.': '{device} hat eine Störung, die der Hub nicht kennt.',
    'Low back bent {value} for {for}.': 'LWS {for} lang um {value} gebeugt.',
    'Low back bent {value} for {for}, over {limit} of the own range.':
        'LWS {for} lang um {value} gebeugt, über {limit} des eigenen Umfangs.',
    'Low back bending at {value}, over {limit}.': 'LWS beugt sich mit {value}, über {limit}.',
    'Trunk bent {value} for {for}.': 'Rumpf {for} lang um {value} vorgebeugt.',
    'Low back bent sideways {value} for {for}.': 'LWS {for} lang um {value} seitlich geneigt.',
    'Low back bent sideways {value} for {for}; the own range ends at {limit}.':
        'LWS {for} lang um {value} seitlich geneigt; der eigene Umfang endet bei {limit}.',
    'Low back twisted {value} and bent over 20° for {for}.':
        'LWS {for} lang um {value} gedreht und über 20° gebeugt.',
    'Slouching for {value}.': '{value} lang Rundrücken.',
    'Sitting for {value} without a break.': '{value} lang ohne Pause gesessen.',
    'No trunk angle from {device} for {for}.': '{for} lang kein Rumpfwinkel von {device}.',
    '{device} is not worn.': '{device} wird nicht getragen.',
    'No skin temperature from {device} for {for}.': '{for} lang keine Hauttemperatur von {device}.',
    '{device} heats or was over 43 °C, and no skin temperature for {for}: over 50 °C, or its sensor is broken.':
        '{device} heizt oder war über 43 °C, und {for} lang keine Hauttemperatur: über 50 °C, oder der Fühler '
        + 'ist defekt.',
    'No {metric} from {device}: an alarm of it stands, and what is now is not known.':
        'Nichts zu {metric} von {device}: ein Alarm davon steht an, und was jetzt ist, ist nicht bekannt.',
    'Nothing from {device} for {for}.': '{for} lang nichts von {device}.',
    '{device} has stopped with a fault.': '{device} hat mit einer Störung angehalten.',
    'Battery of {device} at {value}.': 'Akku von {device} bei {value}.',
    'Radio signal of {device} at {value}.': 'Funksignal von {device} bei {value}.',
    '{value} of what {device} sent in the last minute was lost.':
        '{value} dessen, was {device} in der letzten Minute sandte, ging verloren.',
    'The clock of {device} is off by {value}.': 'Die Uhr von {device} geht um {value} falsch.',
    'Messages of {device} in the last minute that could not be used: {value}.':
        'Nachrichten von {device} in der letzten Minute, die nicht zu brauchen waren: {value}.',
};
