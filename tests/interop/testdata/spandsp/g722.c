/* Codes 16-bit samples at 16 kHz as G.722 at 64 kbit/s (argument "encode"), or
 * back ("decode"), from standard input to standard output, with spandsp. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <spandsp/telephony.h>
#include <spandsp/g722.h>

static int16_t samples[2 * 4096];
static uint8_t codes[4096];

static int encode(void)
{
	g722_encode_state_t *state = g722_encode_init(NULL, 64000, 0);
	size_t n;

	while ((n = fread(samples, sizeof(samples[0]), 8192, stdin)) > 0) {
		int made = g722_encode(state, codes, samples, (int) n);
		if (fwrite(codes, 1, made, stdout) != (size_t) made)
			return 1;
	}
	return g722_encode_free(state);
}

static int decode(void)
{
	g722_decode_state_t *state = g722_decode_init(NULL, 64000, 0);
	size_t n;

	while ((n = fread(codes, 1, sizeof(codes), stdin)) > 0) {
		int made = g722_decode(state, samples, codes, (int) n);
		if (fwrite(samples, sizeof(samples[0]), made, stdout) != (size_t) made)
			return 1;
	}
	return g722_decode_free(state);
}

int main(int count, char **argument)
{
	if (count != 2)
		return 2;
	return strcmp(argument[1], "encode") == 0 ? encode() : decode();
}
