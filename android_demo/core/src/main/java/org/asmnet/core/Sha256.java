package org.asmnet.core;

/**
 * SHA-256 (FIPS 180-4) in plain Java, for platforms without {@code java.security}: the browser.
 */
public final class Sha256 {
    // The first 32 bits of the fractions of the first primes' cube roots, and square roots.
    private static final int[] CONSTANTS = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
        0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
        0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
        0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
        0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
        0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
        0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
        0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    private static final int[] START = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
        0x1f83d9ab, 0x5be0cd19};

    private final int[] state = START.clone();
    private final int[] words = new int[64];

    private Sha256() {}

    /**
     * The digest of a file's beginning.
     *
     * @param content of the file
     * @param length bytes that count
     * @return 64 hexadecimal digits, lower case
     */
    public static String hex(byte[] content, int length) {
        Sha256 sum = new Sha256();
        int whole = length / 64 * 64;
        for (int at = 0; at < whole; at += 64) {
            sum.block(content, at);
        }
        // The rest, a one bit, zeros, and the number of bits in 8 bytes, of which 5 suffice.
        byte[] end = new byte[length - whole < 56 ? 64 : 128];
        System.arraycopy(content, whole, end, 0, length - whole);
        end[length - whole] = (byte) 0x80;
        end[end.length - 5] = (byte) (length >>> 29);
        for (int i = 0; i < 4; i++) {
            end[end.length - 1 - i] = (byte) (length << 3 >>> 8 * i);
        }
        for (int at = 0; at < end.length; at += 64) {
            sum.block(end, at);
        }
        StringBuilder text = new StringBuilder();
        for (int word : sum.state) {
            for (int shift = 28; shift >= 0; shift -= 4) {
                text.append(Character.forDigit(word >> shift & 15, 16));
            }
        }
        return text.toString();
    }

    private void block(byte[] from, int at) {
        int[] w = words;
        for (int i = 0; i < 16; i++) {
            int n = at + 4 * i;
            w[i] = from[n] << 24 | (from[n + 1] & 255) << 16 | (from[n + 2] & 255) << 8
                    | from[n + 3] & 255;
        }
        for (int i = 16; i < 64; i++) {
            int x = w[i - 15];
            int y = w[i - 2];
            w[i] = w[i - 16] + w[i - 7]
                    + (Integer.rotateRight(x, 7) ^ Integer.rotateRight(x, 18) ^ x >>> 3)
                    + (Integer.rotateRight(y, 17) ^ Integer.rotateRight(y, 19) ^ y >>> 10);
        }
        int a = state[0];
        int b = state[1];
        int c = state[2];
        int d = state[3];
        int e = state[4];
        int f = state[5];
        int g = state[6];
        int h = state[7];
        for (int i = 0; i < 64; i++) {
            int one = h + CONSTANTS[i] + w[i] + (e & f ^ ~e & g) + (Integer.rotateRight(e, 6)
                    ^ Integer.rotateRight(e, 11) ^ Integer.rotateRight(e, 25));
            int two = (a & b ^ a & c ^ b & c) + (Integer.rotateRight(a, 2)
                    ^ Integer.rotateRight(a, 13) ^ Integer.rotateRight(a, 22));
            h = g;
            g = f;
            f = e;
            e = d + one;
            d = c;
            c = b;
            b = a;
            a = one + two;
        }
        int[] now = {a, b, c, d, e, f, g, h};
        for (int i = 0; i < 8; i++) {
            state[i] += now[i];
        }
    }
}
