/* Messages as a massage device sends them, and what must come out. Each is given as text, in the
 * form that `protoc --encode` reads, and as the bytes that protoc made of it: an encoder of another
 * hand. */
#ifndef LUMBAR_MASSAGE_GOLDEN_H
#define LUMBAR_MASSAGE_GOLDEN_H

#include "lumbar/plugin.h"

/*
 * boot_id: 0x5eed000000000003 sequence: 7 held_from: 0
 * now_ms: 1700000001000 wall_clock: true
 * start_ms: 1700000000000 dt_ms: [0, 200, 200, 200, 200]
 * massage_pressure: [423, 430, 428, 431, 425]
 * massage_force: [351, 352, 350, 349, 350]
 * percussion_frequency: [3000, 3001, 2999, 3000, 3000]
 * percussion_amplitude: [1200, 1200, 1201, 1199, 1200]
 * skin_temperature: [3625, 3626, 3627, 3628, -2147483648]
 * surface_temperature: [4150, 4151, 4151, 4152, 4153]
 * motor_current: [1234, 1250, 1248, 1239, 1241]
 * motor_temperature: [5500, 5501, 5502, 5503, 5504]
 * motor_vibration: [225, 230, 651, 650, -2147483648]
 * state: STATE_RUNNING program: PROGRAM_HEAT region: REGION_GLUTE_LEFT region_time_s: 90
 * faults: [FAULT_OVERHEAT, FAULT_NONE, FAULT_SUPPLY]
 * battery: 64 rssi: -55 contact: true
 */
static const uint8_t golden_full[] = {
    0x09, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0xed, 0x5e, 0x10, 0x07, 0x18, 0x00, 0x20, 0xd0, 0xaf,
    0xab, 0xfe, 0xf9, 0x62, 0x28, 0x01, 0x30, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0x3a, 0x09, 0x00,
    0xc8, 0x01, 0xc8, 0x01, 0xc8, 0x01, 0xc8, 0x01, 0x42, 0x0a, 0xce, 0x06, 0xdc, 0x06, 0xd8, 0x06,
    0xde, 0x06, 0xd2, 0x06, 0x4a, 0x0a, 0xbe, 0x05, 0xc0, 0x05, 0xbc, 0x05, 0xba, 0x05, 0xbc, 0x05,
    0x52, 0x0a, 0xf0, 0x2e, 0xf2, 0x2e, 0xee, 0x2e, 0xf0, 0x2e, 0xf0, 0x2e, 0x5a, 0x0a, 0xe0, 0x12,
    0xe0, 0x12, 0xe2, 0x12, 0xde, 0x12, 0xe0, 0x12, 0x62, 0x0d, 0xd2, 0x38, 0xd4, 0x38, 0xd6, 0x38,
    0xd8, 0x38, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x6a, 0x0a, 0xec, 0x40, 0xee, 0x40, 0xee, 0x40, 0xf0,
    0x40, 0xf2, 0x40, 0x72, 0x0a, 0xa4, 0x13, 0xc4, 0x13, 0xc0, 0x13, 0xae, 0x13, 0xb2, 0x13, 0x7a,
    0x0a, 0xf8, 0x55, 0xfa, 0x55, 0xfc, 0x55, 0xfe, 0x55, 0x80, 0x56, 0x80, 0x01, 0x02, 0x88, 0x01,
    0x02, 0x90, 0x01, 0x03, 0x98, 0x01, 0x5a, 0xa2, 0x01, 0x03, 0x02, 0x00, 0x04, 0xa8, 0x01, 0x40,
    0xb0, 0x01, 0x6d, 0xb8, 0x01, 0x01, 0xc2, 0x01, 0x0d, 0xc2, 0x03, 0xcc, 0x03, 0x96, 0x0a, 0x94,
    0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f,
};

/*
 * boot_id: 0x5eed000000000003 sequence: 8 now_ms: 1700000002000
 * state: STATE_PAUSED program: PROGRAM_NONE region: REGION_NONE contact: false
 */
static const uint8_t golden_paused[] = {
    0x09, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0xed, 0x5e, 0x10, 0x08, 0x20, 0xa0, 0xbf, 0xab,
    0xfe, 0xf9, 0x62, 0x80, 0x01, 0x03, 0x88, 0x01, 0x00, 0x90, 0x01, 0x00, 0xb8, 0x01, 0x00,
};

/*
 * boot_id: 0x5eed000000000003 now_ms: 1700000003000 wall_clock: true
 * battery: 12 rssi: -85 contact: false firmware: "2.0.0" state: STATE_FAULT
 */
static const uint8_t golden_status[] = {
    0x09, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0xed, 0x5e, 0x10, 0xf0, 0xce,
    0xab, 0xfe, 0xf9, 0x62, 0x18, 0x01, 0x20, 0x0c, 0x28, 0xa9, 0x01, 0x30,
    0x00, 0x3a, 0x05, 0x32, 0x2e, 0x30, 0x2e, 0x30, 0x40, 0x04,
};

static const struct lumbar_golden golden[] = {
    {"telemetry", golden_full, sizeof(golden_full), "massage_pressure", 5, 42.3},   /* 0.1 kPa */
    {"telemetry", golden_full, sizeof(golden_full), "massage_force", 5, 35.1},      /* 0.1 N */
    {"telemetry", golden_full, sizeof(golden_full), "percussion_frequency", 5, 30}, /* 0.01 Hz */
    {"telemetry", golden_full, sizeof(golden_full), "percussion_amplitude", 5, 12}, /* 0.01 mm */
    {"telemetry", golden_full, sizeof(golden_full), "skin_temperature", 5,
     36.25}, /* the last of them silent */
    {"telemetry", golden_full, sizeof(golden_full), "surface_temperature", 5, 41.5}, /* 0.01 Cel */
    {"telemetry", golden_full, sizeof(golden_full), "motor_current", 5, 1.234},      /* 0.001 A */
    {"telemetry", golden_full, sizeof(golden_full), "motor_temperature", 5, 55},     /* 0.01 Cel */
    {"telemetry", golden_full, sizeof(golden_full), "motor_vibration", 5, 2.25},     /* 0.01 m/s2 */
    {"telemetry", golden_full, sizeof(golden_full), "state", 1, 1},                  /* running */
    {"telemetry", golden_full, sizeof(golden_full), "program", 1, 2},                /* heat */
    {"telemetry", golden_full, sizeof(golden_full), "region", 1, 3},        /* left glute */
    {"telemetry", golden_full, sizeof(golden_full), "region_time", 1, 1.5}, /* 90 s are 1.5 min */
    {"telemetry", golden_full, sizeof(golden_full), "fault", 2,
     1}, /* overheat, then supply; none is no fault */
    {"telemetry", golden_full, sizeof(golden_full), "contact", 1, 1},   /* on the skin */
    {"telemetry", golden_paused, sizeof(golden_paused), "state", 1, 2}, /* paused */
    {"status", golden_status, sizeof(golden_status), "battery", 1, 12}, /* % */
    {"status", golden_status, sizeof(golden_status), "rssi", 1, -85},   /* dBm */
    {"status", golden_status, sizeof(golden_status), "state", 1, 3},    /* fault */
    {"telemetry", NULL, 0, NULL, 0, 0}, /* an empty message says nothing, and is well formed */
};

#endif
