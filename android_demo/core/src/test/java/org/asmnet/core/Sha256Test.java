package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.security.MessageDigest;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Sha256Test {
    @Test
    void digestsAreThoseOfThePlatform() throws Exception {
        byte[] content = new byte[5000];
        new Random(1).nextBytes(content);
        for (int length = 0; length <= content.length; length += length < 200 ? 1 : 997) {
            MessageDigest platform = MessageDigest.getInstance("SHA-256");
            platform.update(content, 0, length);
            StringBuilder expected = new StringBuilder();
            for (byte b : platform.digest()) {
                expected.append(String.format("%02x", b));
            }
            assertEquals(expected.toString(), Sha256.hex(content, length), length + " bytes");
        }
    }

    @Test
    void aContractIsReadWithEitherDigest() {
        byte[] file = Golden.resource("contract.tflite");
        assertEquals(ModelSpec.read(file, "contract").name,
                ModelSpec.read(file, "contract", Sha256::hex).name);
        file[100] ^= 1;
        assertEquals("contract is damaged (its SHA-256 differs); get or export it again",
                assertThrows(AsmnetException.class,
                        () -> ModelSpec.read(file, "contract", Sha256::hex)).getMessage());
    }
}
