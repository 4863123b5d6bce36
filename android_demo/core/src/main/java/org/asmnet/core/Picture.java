package org.asmnet.core;

/** A picture of RGB bytes whose buffer is kept from frame to frame. */
public final class Picture {
    /** Row by row from the top, R G B each; the first 3 x width x height bytes count. */
    public byte[] rgb = new byte[0];
    /** Pixels in a row. */
    public int width;
    /** Rows. */
    public int height;

    /**
     * Take another size; allocates only to grow.
     *
     * @return this
     */
    public Picture resize(int width, int height) {
        if (width < 1 || height < 1 || (long) width * height > Integer.MAX_VALUE / 3) {
            throw new AsmnetException("a picture of " + width + " x " + height
                    + " pixels cannot be used");
        }
        if (rgb.length < 3 * width * height) {
            rgb = new byte[3 * width * height];
        }
        this.width = width;
        this.height = height;
        return this;
    }

    /**
     * For a screen.
     *
     * @param pixels receives 0xffRRGGBB each, width x height of them
     */
    public void toArgb(int[] pixels) {
        for (int i = 0, n = 0; i < width * height; i++, n += 3) {
            pixels[i] = 0xff000000 | (rgb[n] & 255) << 16 | (rgb[n + 1] & 255) << 8
                    | rgb[n + 2] & 255;
        }
    }
}
