/*
 * What a report says, in each of its languages. Private to report*.c and course*.c.
 *
 * One line a sentence, so that no language lacks one.
 */
#ifndef LUMBAR_CORE_REPORT_WORDS_H
#define LUMBAR_CORE_REPORT_WORDS_H

#include "base/text.h"
#include "core/report.h"

#define REPORT_WORDS(X)                                                                              \
    X(W_LANGUAGE, "en", "de")                                                                        \
    X(W_TITLE, "Treatment report", "Behandlungsbericht")                                             \
    X(W_NUMBER, "Treatment", "Behandlung")                                                           \
    X(W_CLIENT, "Client", "Klient")                                                                  \
    X(W_NOBODY, "not named", "nicht genannt")                                                        \
    X(W_THERAPIST, "Therapist", "Therapeut")                                                         \
    X(W_BY_DEVICE, "opened by a device", "von einem Gerät eröffnet")                                 \
    X(W_ROOM, "Room", "Raum")                                                                        \
    X(W_PLAN, "Plan", "Plan")                                                                        \
    X(W_NO_PLAN, "none", "keiner")                                                                   \
    X(W_TIME, "Time", "Zeit")                                                                        \
    X(W_PLANNED, "planned, not yet begun", "geplant, noch nicht begonnen")                           \
    X(W_RUNNING, "under way: this is what is known so far", "läuft: bis jetzt Bekanntes")            \
    X(W_DONE, "done", "beendet")                                                                     \
    X(W_IDLE, "ended, as nothing was done any more", "beendet, weil nichts mehr getan wurde")        \
    X(W_ABORTED, "aborted", "abgebrochen")                                                           \
    X(W_ADVERSE, "Adverse event", "Unerwünschtes Ereignis")                                          \
    X(W_PAIN, "Pain (0 to 10)", "Schmerz (0 bis 10)")                                                \
    X(W_BEFORE, "before", "vorher")                                                                  \
    X(W_DURING, "during", "während")                                                                 \
    X(W_AFTER, "after", "nachher")                                                                   \
    X(W_PAIN_BETTER, "Less pain, by as much as matters to people (2, or 30 %).",                     \
      "Weniger Schmerz, um so viel, wie Menschen spüren (2, oder 30 %).")                            \
    X(W_PAIN_WORSE, "More pain, by as much as matters to people (2, or 30 %).",                      \
      "Mehr Schmerz, um so viel, wie Menschen spüren (2, oder 30 %).")                               \
    X(W_PAIN_SAME, "No change of pain that matters (it would take 2, or 30 %).",                     \
      "Keine Änderung des Schmerzes von Belang (es brauchte 2, oder 30 %).")                         \
    X(W_RMDQ, "Roland-Morris (RMDQ, 0 to 24)", "Roland-Morris (RMDQ, 0 bis 24)")                     \
    X(W_ODI, "Oswestry (ODI, 0 to 100)", "Oswestry (ODI, 0 bis 100)")                                \
    X(W_PHASES, "Phases", "Phasen")                                                                  \
    X(W_DONE_TIME, "done", "getan")                                                                  \
    X(W_PLAN_TIME, "plan", "Plan")                                                                   \
    X(W_ZONES, "Time in zone", "Zeit im Zielbereich")                                                \
    X(W_LIMIT, "limit", "Grenze")                                                                    \
    X(W_TARGET, "target", "Ziel")                                                                    \
    X(W_WITHIN, "within", "darin")                                                                   \
    X(W_BEYOND, "beyond", "darüber hinaus")                                                          \
    X(W_TIMES, "times", "Mal")                                                                       \
    X(W_NOT_MEASURED, "not measured", "nicht gemessen")                                              \
    X(W_NO_VALUE, "no value yet", "noch kein Wert")                                                  \
    X(W_ALL, "all phases", "alle Phasen")                                                            \
    X(W_DOSE, "Dose", "Dosis")                                                                       \
    X(W_REGION, "Region", "Region")                                                                  \
    X(W_MINUTES, "min", "min")                                                                       \
    X(W_MEAN, "mean", "im Mittel")                                                                   \
    X(W_SUM, "minutes x mean", "Minuten x Mittel")                                                   \
    X(W_AT_END, "at the end", "am Ende")                                                             \
    X(W_RANGE, "Range of motion", "Bewegungsumfang")                                                 \
    X(W_BEST, "best", "am weitesten")                                                                \
    X(W_SPREAD, "spread", "Streuung")                                                                \
    X(W_OF, "of", "aus")                                                                             \
    X(W_RANGE_ERROR, "Measurement error is 5 to 15 degrees by method (MDC90).",                      \
      "Der Messfehler liegt je nach Verfahren bei 5 bis 15 Grad (MDC90).")                           \
    X(W_ALARMS, "Alarms", "Alarme")                                                                  \
    X(W_NO_ALARMS, "None.", "Keine.")                                                                \
    X(W_MORE_ALARMS, "more", "weitere")                                                              \
    X(W_STANDS, "stands", "steht an")                                                                \
    X(W_WORST, "at worst", "schlimmstenfalls")                                                       \
    X(W_ACKED, "acknowledged", "quittiert")                                                          \
    X(W_TECHNICAL, "technical", "technisch")                                                         \
    X(W_HIGH, "high", "hoch")                                                                        \
    X(W_MEDIUM, "medium", "mittel")                                                                  \
    X(W_LOW, "low", "niedrig")                                                                       \
    X(W_TRACES, "Traces", "Verläufe")                                                                \
    X(W_TRACES_HINT,                                                                                 \
      "Line: mean; band: least to greatest; dashed: limits of the plan; gaps: "                      \
      "nothing was heard.",                                                                          \
      "Linie: Mittel; Band: kleinster bis größter Wert; gestrichelt: Grenzen des Plans; Lücken: " \
      "nichts gehört.")                                                                              \
    X(W_NO_TRACES, "Nothing was measured.", "Nichts wurde gemessen.")                                \
    X(W_LOST_BANDS,                                                                                  \
      "Limits or targets of the plan cannot be told any more: what they name was renamed or is "     \
      "gone.",                                                                                       \
      "Grenzen oder Ziele des Plans sind nicht mehr lesbar: was sie nennen, heißt anders oder "     \
      "fehlt.")                                                                                      \
    X(W_LOST, "History has lost part of this time: the disk refused, or the hub was away.",          \
      "Der Aufzeichnung fehlt ein Teil dieser Zeit: Die Platte war gestört, oder der Hub war "      \
      "aus.")                                                                                        \
    X(W_NOTES, "Notes and markers", "Notizen und Marken")                                            \
    X(W_MARKER, "marker", "Marke")                                                                   \
    X(W_DEVICES, "Devices", "Geräte")                                                                \
    X(W_BY_HAND, "by hand", "von Hand")                                                              \
    X(W_MADE, "Made", "Erstellt")                                                                    \
    X(W_FOOT,                                                                                        \
      "Informs; it is no medical record of its own. The devices' own cut-outs remain the "           \
      "protection.",                                                                                 \
      "Informiert; ersetzt keine Patientenakte. Die Schutzabschaltungen der Geräte selbst "         \
      "bleiben "                                                                                     \
      "der Schutz.")

enum report_word {
#define X(word, english, german) word,
    REPORT_WORDS(X)
#undef X
        REPORT_WORDS_
};

const char *report_word(enum report_language language, enum report_word word);

/* What plugins and rules of the project call metrics, and what that is in the other languages. */
#define REPORT_TERMS(X)                                                                            \
    X("Lumbar flexion", "Beugung der LWS")                                                         \
    X("Lumbar flexion velocity", "Tempo der LWS-Beugung")                                          \
    X("Trunk inclination", "Rumpfneigung")                                                         \
    X("Lumbar lateral flexion", "Seitneigung der LWS")                                             \
    X("Lumbar rotation", "Drehung der LWS")                                                        \
    X("Posture", "Haltung")                                                                        \
    X("Time in this slouch", "Zeit im Rundrücken")                                                 \
    X("Sitting without a break", "Sitzen ohne Pause")                                              \
    X("Massage pressure", "Massagedruck")                                                          \
    X("Massage force", "Massagekraft")                                                             \
    X("Percussion frequency", "Schlagfrequenz")                                                    \
    X("Percussion amplitude", "Schlagweite")                                                       \
    X("Skin temperature", "Hauttemperatur")                                                        \
    X("Handle surface temperature", "Temperatur des Griffs")                                       \
    X("Thermal dose", "Wärmedosis")                                                                \
    X("Repetitions", "Wiederholungen")

/* The title of a metric in the language; as it is where no word is known. */
const char *report_term(enum report_language language, const char *title);

/* The words as HTML; where the language writes a comma, numbers have one. */
void report_say(struct text *text, const struct report *report, enum report_word word);
void report_number(struct text *text, enum report_language language, double value,
                   unsigned decimals);

/* "4:05" of minutes and seconds; "14:03:10" and "26 Nov 2026" on the clinic's clock. */
void report_span(struct text *text, int64_t ms);
void report_clock(struct text *text, const struct report *report, int64_t ms, bool seconds);
void report_day(struct text *text, const struct report *report, int64_t ms);

/* report_chart.c: the trace as SVG, with its title. `titled`: phases are named in it. */
void report_chart(struct text *text, const struct report *report, const struct report_trace *trace,
                  bool titled);

#endif
