// emolab's board: samples analogue inputs evenly and sends them as checked frames.
//
// For any board with the Arduino core: Uno, Nano, Leonardo, Mega, Micro, Teensy, Due, Zero, ...
// Wiring and every byte are specified in emolab/devices/emolab_board.py. To make it yours, change the
// block below and nothing else; the computer learns channels, bits and rate from the hello frame.

#include <Arduino.h>

// ---- yours to change ------------------------------------------------------------------------
const uint8_t PINS[] = {A0, A1, A2, A3};  // 1 to 8 inputs, in the order of 'channels' in the device file
const uint8_t BITS = 10;                  // of the converter, 10 to 16; see analogReadResolution
const uint16_t RATE_HZ = 250;             // an Uno manages 4 channels at 500 Hz, at 1000 Hz without SETTLE
const uint32_t BAUD = 250000;             // exact at 16 MHz; native USB boards ignore it
const bool SETTLE = true;                 // read each input twice: the first reading still holds the last pin
// ---------------------------------------------------------------------------------------------

const uint8_t PROTOCOL = 1;
const uint8_t FIRMWARE_MAJOR = 1, FIRMWARE_MINOR = 0;
const uint8_t CHANNELS = sizeof(PINS) / sizeof(PINS[0]);
const uint32_t PERIOD_US = (1000000UL + RATE_HZ / 2) / RATE_HZ;
const uint8_t LONGEST_BODY = 7 + 2 * 8;

static_assert(CHANNELS >= 1 && CHANNELS <= 8, "1 to 8 channels");
static_assert(BITS >= 10 && BITS <= 16, "analogRead gives 10 to 16 bits");

uint8_t body[LONGEST_BODY + 2];  // and the CRC
uint8_t length = 0;
uint16_t counter = 0;      // ticks since the start, also those that had to be left out
uint32_t tick_us = 0;      // when the next sample is due
uint16_t hello_in = 0;     // ticks until the next hello

void put8(uint8_t value) { body[length++] = value; }

void put16(uint16_t value) {
  put8(value & 0xFF);
  put8(value >> 8);
}

void put32(uint32_t value) {
  put16(value & 0xFFFF);
  put16(value >> 16);
}

// CRC-16/CCITT-FALSE of the body.
uint16_t crc16() {
  uint16_t crc = 0xFFFF;
  for (uint8_t i = 0; i < length; i++) {
    crc ^= (uint16_t)body[i] << 8;
    for (uint8_t bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) ? (uint16_t)((crc << 1) ^ 0x1021) : (uint16_t)(crc << 1);
    }
  }
  return crc;
}

// Send the body and its CRC, COBS-encoded and closed by a zero. Bodies are far below 254 bytes,
// so every block ends at a zero of the data or at its end.
void sendFrame() {
  put16(crc16());
  uint8_t frame[sizeof(body) + 2];
  uint8_t code_at = 0, n = 1;
  for (uint8_t i = 0; i < length; i++) {
    if (body[i] == 0) {
      frame[code_at] = n - code_at;
      code_at = n++;
    } else {
      frame[n++] = body[i];
    }
  }
  frame[code_at] = n - code_at;
  frame[n++] = 0;
  Serial.write(frame, n);
  length = 0;
}

void sendHello() {
  put8('H');
  put8(PROTOCOL);
  put8(FIRMWARE_MAJOR);
  put8(FIRMWARE_MINOR);
  put8(CHANNELS);
  put8(BITS);
  put32(1000UL * RATE_HZ);
  sendFrame();
}

void sendSample(uint32_t now_us) {
  put8('S');
  put16(counter);
  put32(now_us);
  for (uint8_t i = 0; i < CHANNELS; i++) {
    if (SETTLE) analogRead(PINS[i]);
    put16(analogRead(PINS[i]));
  }
  sendFrame();
}

void setup() {
#if !defined(__AVR__) && !defined(ARDUINO_ARCH_ESP8266)
  analogReadResolution(BITS);
#endif
  Serial.begin(BAUD);
  Serial.write((uint8_t)0);  // closes whatever the boot loader left on the line
  sendHello();
  hello_in = RATE_HZ;
  tick_us = micros();
}

void loop() {
  uint32_t now_us = micros();
  if ((int32_t)(now_us - tick_us) < 0) return;
  // ticks we came too late for are left out but counted: the computer sees them as lost
  while ((uint32_t)(now_us - tick_us) >= PERIOD_US) {
    tick_us += PERIOD_US;
    counter++;
  }
  sendSample(now_us);
  tick_us += PERIOD_US;
  counter++;
  if (--hello_in == 0) {
    sendHello();
    hello_in = RATE_HZ;
  }
}
