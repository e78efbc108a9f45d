package io.github.sgpt4j.cli.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Plots as SVG inside the page. Colours are those of the page's style, and each plot is described in words.
public final class Charts {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 220;
    private static final int LEFT = 72;
    private static final int RIGHT = 24;
    private static final int TOP = 12;
    private static final int BOTTOM = 34;
    private static final int BINS = 20;
    private static final int MAX_BARS = 500;
    private static final int ROW = 34;

    private Charts() {}

    /// How many queries have which value: twenty bins from 0 to 1, and the mean as a line.
    ///
    /// @param name of the measure
    /// @param values 0 to 1
    public static void histogram(Html html, String name, double[] values) {
        int[] counts = new int[BINS];
        for (double value : values) {
            counts[(int) Math.clamp(value * BINS, 0, BINS - 1)]++;
        }
        int most = Math.max(1, Arrays.stream(counts).max().orElse(1));
        double mean = Arrays.stream(values).average().orElse(0);
        long zero = Arrays.stream(values).filter(value -> value == 0).count();
        String caption = "%s of %,d queries: mean %.4f; %,d have 0".formatted(name, values.length, mean, zero);
        figure(html, caption, HEIGHT);
        double step = (double) plotWidth() / BINS;
        for (int i = 0; i < BINS; i++) {
            double height = (double) plotHeight() * counts[i] / most;
            rectangle(
                    html,
                    "bar",
                    LEFT + i * step + 1,
                    TOP + plotHeight() - height,
                    step - 2,
                    height,
                    "%.2f to %.2f: %,d queries".formatted((double) i / BINS, (i + 1.0) / BINS, counts[i]));
        }
        line(html, "mean", LEFT + mean * plotWidth(), TOP, LEFT + mean * plotWidth(), TOP + plotHeight());
        axis(html, TOP + plotHeight());
        for (int i = 0; i <= 4; i++) {
            label(html, "middle", LEFT + plotWidth() * i / 4.0, HEIGHT - 14, "%.2f".formatted(i / 4.0));
        }
        label(html, "end", LEFT - 6, TOP + 10, "%,d".formatted(most));
        label(html, "end", LEFT - 6, TOP + plotHeight(), "0");
        end(html, caption);
    }

    /// Differences by query, from the largest gain to the largest loss, a bar each; of more than 500 queries,
    /// as many at equal distances.
    ///
    /// @param what is compared, for the description
    /// @param names of the queries
    /// @param differences one for each query
    public static void differences(Html html, String what, List<String> names, double[] differences) {
        Integer[] order = new Integer[differences.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Double.compare(differences[b], differences[a]));
        int bars = Math.min(MAX_BARS, order.length);
        long wins = Arrays.stream(differences).filter(d -> d > 0).count();
        long losses = Arrays.stream(differences).filter(d -> d < 0).count();
        double reach =
                Math.max(1e-9, Arrays.stream(differences).map(Math::abs).max().orElse(0));
        String shown = bars < order.length
                ? "; of %,d queries %,d at equal distances are drawn".formatted(order.length, bars)
                : "";
        String caption = "%s, query by query: %,d better, %,d equal, %,d worse%s"
                .formatted(what, wins, order.length - wins - losses, losses, shown);
        figure(html, caption, HEIGHT);
        double zero = TOP + plotHeight() / 2.0;
        double step = (double) plotWidth() / Math.max(1, bars);
        for (int i = 0; i < bars; i++) {
            int query = order[bars == 1 ? 0 : (int) ((long) i * (order.length - 1) / (bars - 1))];
            double height = differences[query] / reach * plotHeight() / 2;
            rectangle(
                    html,
                    differences[query] < 0 ? "loss" : "win",
                    LEFT + i * step,
                    height < 0 ? zero : zero - height,
                    Math.max(0.5, step - (step > 3 ? 1 : 0)),
                    Math.abs(height),
                    "%s: %+.4f".formatted(names.get(query), differences[query]));
        }
        axis(html, zero);
        label(html, "end", LEFT - 6, TOP + 10, "%+.2f".formatted(reach));
        label(html, "end", LEFT - 6, zero + 4, "0");
        label(html, "end", LEFT - 6, TOP + plotHeight(), "%+.2f".formatted(-reach));
        label(
                html,
                "middle",
                LEFT + plotWidth() / 2.0,
                HEIGHT - 10,
                "queries, from the largest gain to the largest loss");
        end(html, caption);
    }

    /// A mean with its interval.
    ///
    /// @param name of the row
    /// @param mean of the differences
    /// @param low lower end; equal to `mean` where there is none
    /// @param high upper end
    public record Interval(String name, double mean, double low, double high) {}

    /// Means with their intervals, a row each, and a line at 0.
    ///
    /// @param caption what is shown
    /// @param rows at least one
    public static void intervals(Html html, String caption, List<Interval> rows) {
        double reach = Math.max(
                1e-9,
                rows.stream()
                        .mapToDouble(row -> Math.max(Math.abs(row.low), Math.abs(row.high)))
                        .max()
                        .orElse(0));
        int height = TOP + ROW * rows.size() + BOTTOM;
        figure(html, caption, height);
        double zero = LEFT + plotWidth() / 2.0;
        double scale = plotWidth() / 2.0 / reach;
        line(html, "axis", zero, TOP, zero, height - BOTTOM);
        for (int i = 0; i < rows.size(); i++) {
            Interval row = rows.get(i);
            double y = TOP + ROW * i + ROW * 0.7;
            String kind = row.low > 0 ? "win" : row.high < 0 ? "loss" : "bar";
            label(html, "start", LEFT, y - 8, shortened(row.name));
            line(html, "interval " + kind, zero + row.low * scale, y, zero + row.high * scale, y);
            html.open("circle", "class", kind, "cx", number(zero + row.mean * scale), "cy", number(y), "r", 4)
                    .element("title", "%s: %+.4f (%+.4f to %+.4f)".formatted(row.name, row.mean, row.low, row.high))
                    .close("circle");
        }
        for (int side = -1; side <= 1; side++) {
            String anchor = side < 0 ? "start" : side > 0 ? "end" : "middle";
            label(html, anchor, zero + side * reach * scale, height - 12, "%+.3f".formatted(side * reach));
        }
        end(html, caption);
    }

    private static String shortened(String name) {
        return name.length() <= 60 ? name : "…" + name.substring(name.length() - 59);
    }

    private static int plotWidth() {
        return WIDTH - LEFT - RIGHT;
    }

    private static int plotHeight() {
        return HEIGHT - TOP - BOTTOM;
    }

    private static void figure(Html html, String caption, int height) {
        html.open("figure")
                .open("svg", "viewBox", "0 0 %d %d".formatted(WIDTH, height), "role", "img", "aria-label", caption);
    }

    private static void end(Html html, String caption) {
        html.close("svg").element("figcaption", caption).close("figure");
    }

    private static void rectangle(
            Html html, String kind, double x, double y, double width, double height, String title) {
        html.open(
                        "rect",
                        "class",
                        kind,
                        "x",
                        number(x),
                        "y",
                        number(y),
                        "width",
                        number(width),
                        "height",
                        number(height))
                .element("title", title)
                .close("rect");
    }

    private static void line(Html html, String kind, double x1, double y1, double x2, double y2) {
        html.open("line", "class", kind, "x1", number(x1), "y1", number(y1), "x2", number(x2), "y2", number(y2))
                .close("line");
    }

    private static void axis(Html html, double y) {
        line(html, "axis", LEFT, y, WIDTH - RIGHT, y);
    }

    private static void label(Html html, String anchor, double x, double y, String text) {
        html.element("text", text, "x", number(x), "y", number(y), "text-anchor", anchor);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
