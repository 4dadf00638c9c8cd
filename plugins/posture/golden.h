/* Messages as a posture wearable sends them, and what must come out. Each is given as text, in the
 * form that `protoc --encode` reads, and as the bytes that protoc made of it: an encoder of another
 * hand. */
#ifndef LUMBAR_POSTURE_GOLDEN_H
#define LUMBAR_POSTURE_GOLDEN_H

#include "lumbar/plugin.h"

/*
 * boot_id: 0x5eed000000000001 sequence: 42 held_from: 40
 * now_ms: 1700000001000 wall_clock: true
 * start_ms: 1700000000000 dt_ms: [0, 200, 200, 200, 200]
 * lumbar_flexion: [1250, 1275, 1300, 1310, -2147483648]
 * lumbar_flexion_velocity: [-25, 12, 13, 5, -4]
 * trunk_inclination: [725, 731, 740, 742, 750]
 * lumbar_lateral_flexion: [-150, -149, -151, -150, -150]
 * lumbar_rotation: [33, 34, 35, 36, 37]
 * posture: [POSTURE_SLOUCHED, POSTURE_SLOUCHED, POSTURE_UPRIGHT, POSTURE_UPRIGHT, POSTURE_MOVING]
 * slouch_duration_s: 75 sitting_bout_s: 1530 rom_flexion_max: 5210
 * battery: 87 rssi: -61 contact: true
 */
static const uint8_t golden_full[] = {
    0x09, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0xed, 0x5e, 0x10, 0x2a, 0x18, 0x28, 0x20, 0xd0,
    0xaf, 0xab, 0xfe, 0xf9, 0x62, 0x28, 0x01, 0x30, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0x3a,
    0x09, 0x00, 0xc8, 0x01, 0xc8, 0x01, 0xc8, 0x01, 0xc8, 0x01, 0x42, 0x0d, 0xc4, 0x13, 0xf6,
    0x13, 0xa8, 0x14, 0xbc, 0x14, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x4a, 0x05, 0x31, 0x18, 0x1a,
    0x0a, 0x07, 0x52, 0x0a, 0xaa, 0x0b, 0xb6, 0x0b, 0xc8, 0x0b, 0xcc, 0x0b, 0xdc, 0x0b, 0x5a,
    0x0a, 0xab, 0x02, 0xa9, 0x02, 0xad, 0x02, 0xab, 0x02, 0xab, 0x02, 0x62, 0x05, 0x42, 0x44,
    0x46, 0x48, 0x4a, 0x6a, 0x05, 0x02, 0x02, 0x01, 0x01, 0x08, 0x70, 0x4b, 0x78, 0xfa, 0x0b,
    0x80, 0x01, 0xb4, 0x51, 0x88, 0x01, 0x57, 0x90, 0x01, 0x79, 0x98, 0x01, 0x01,
};

/*
 * boot_id: 0x5eed000000000001 sequence: 43
 * now_ms: 1700000002000 battery: 86 contact: false
 */
static const uint8_t golden_off_skin[] = {
    0x09, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0xed, 0x5e, 0x10, 0x2b, 0x20,
    0xa0, 0xbf, 0xab, 0xfe, 0xf9, 0x62, 0x88, 0x01, 0x56, 0x98, 0x01, 0x00,
};

/*
 * boot_id: 0x5eed000000000002 now_ms: 5000 battery: 19 rssi: -90 contact: true
 * firmware: "1.4.2"
 */
static const uint8_t golden_status[] = {
    0x09, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0xed, 0x5e, 0x10, 0x90, 0x4e, 0x20,
    0x13, 0x28, 0xb3, 0x01, 0x30, 0x01, 0x3a, 0x05, 0x31, 0x2e, 0x34, 0x2e, 0x32,
};

static const struct lumbar_golden golden[] = {
    {"telemetry", golden_full, sizeof(golden_full), "lumbar_flexion", 5,
     12.5}, /* the last of them silent */
    {"telemetry", golden_full, sizeof(golden_full), "lumbar_flexion_velocity", 5,
     -2.5},                                                                        /* 0.1 deg/s */
    {"telemetry", golden_full, sizeof(golden_full), "trunk_inclination", 5, 7.25}, /* 0.01 deg */
    {"telemetry", golden_full, sizeof(golden_full), "lumbar_lateral_flexion", 5,
     -1.5},                                                                      /* below zero */
    {"telemetry", golden_full, sizeof(golden_full), "lumbar_rotation", 5, 0.33}, /* 0.01 deg */
    {"telemetry", golden_full, sizeof(golden_full), "posture", 5, 1},            /* slouched */
    {"telemetry", golden_full, sizeof(golden_full), "slouch_duration", 1, 75},   /* s */
    {"telemetry", golden_full, sizeof(golden_full), "sitting_bout", 1,
     25.5}, /* 1530 s are 25.5 min */
    {"telemetry", golden_full, sizeof(golden_full), "rom_flexion_max", 1, 52.1}, /* 0.01 deg */
    {"telemetry", golden_off_skin, sizeof(golden_off_skin), "contact", 1, 0},    /* off the skin */
    {"telemetry", golden_off_skin, sizeof(golden_off_skin), "battery", 1, 86},   /* % */
    {"status", golden_status, sizeof(golden_status), "rssi", 1, -90},            /* dBm */
    {"telemetry", NULL, 0, NULL, 0, 0}, /* an empty message says nothing, and is well formed */
};

#endif
