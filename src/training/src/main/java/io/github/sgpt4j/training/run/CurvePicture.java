package io.github.sgpt4j.training.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A picture of a training's course: loss and learning rate over steps, and the scores of evaluations. Takes bounded
/// memory: of a long training it holds means of several steps each.
final class CurvePicture {
    private static final int MAX_POINTS = 1024;
    private static final int WIDTH = 860;
    private static final int HEIGHT = 430;
    private static final int LEFT = 64;
    private static final int RIGHT = 790;
    private static final int TOP = 46;
    private static final int BOTTOM = 376;
    /// The largest number of marks on an axis.
    private static final int MARKS = 6;
    /// The smooth line has means over such a part of the training.
    private static final int WINDOWS = 50;

    private final long totalSteps;
    private final String metric;
    private final List<Point> points = new ArrayList<>();
    private final List<Score> scores = new ArrayList<>();
    private long perPoint = 1;

    /// Sums over some steps.
    private static final class Point {
        private long count;
        private double step;
        private double loss;
        private double rate;

        void add(double addedStep, double addedLoss, double addedRate) {
            count++;
            step += addedStep;
            loss += addedLoss;
            rate += addedRate;
        }

        void add(Point other) {
            count += other.count;
            step += other.step;
            loss += other.loss;
            rate += other.rate;
        }
    }

    private record Score(long step, double value) {}

    /// @param metric name of the scores; empty if there are none
    CurvePicture(long totalSteps, String metric) {
        this.totalSteps = Math.max(1, totalSteps);
        this.metric = metric;
    }

    String metric() {
        return metric;
    }

    void step(long step, double loss, double rate) {
        if (!Double.isFinite(loss)) {
            return;
        }
        if (points.isEmpty() || points.getLast().count >= perPoint) {
            if (points.size() == MAX_POINTS) {
                halve();
            }
            points.add(new Point());
        }
        points.getLast().add(step, loss, rate);
    }

    private void halve() {
        List<Point> merged = new ArrayList<>();
        for (int i = 0; i + 1 < points.size(); i += 2) {
            points.get(i).add(points.get(i + 1));
            merged.add(points.get(i));
        }
        points.clear();
        points.addAll(merged);
        perPoint *= 2;
    }

    void score(long step, double value) {
        if (Double.isFinite(value)) {
            scores.add(new Score(step, value));
        }
    }

    /// The picture as SVG.
    String svg() {
        StringBuilder svg = new StringBuilder();
        add(svg, """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
                <rect width="100%%" height="100%%" fill="#ffffff"/>
                """, WIDTH, HEIGHT);
        double highest =
                points.stream().mapToDouble(p -> p.loss / p.count).max().orElse(1);
        double lowest = Math.min(
                0, points.stream().mapToDouble(p -> p.loss / p.count).min().orElse(0));
        Axis loss = Axis.over(lowest, highest);
        double highestRate =
                points.stream().mapToDouble(p -> p.rate / p.count).max().orElse(0);
        grid(svg, loss);
        if (highestRate > 0) {
            path(svg, "#b8b8b8", 1, p -> p.rate / p.count / highestRate);
            String rate = "learning rate, at most " + shown(highestRate);
            text(svg, (LEFT + RIGHT) / 2.0, TOP - 24, "middle", "#8a8a8a", rate);
        }
        path(svg, "#9db8d6", 1, p -> loss.share(p.loss / p.count));
        smooth(svg, loss);
        text(svg, LEFT, TOP - 24, "start", "#1f5c99", "loss");
        scores(svg);
        text(svg, (LEFT + RIGHT) / 2.0, HEIGHT - 12, "middle", "#444444", "step");
        return svg.append("</svg>\n").toString();
    }

    /// A range of values with round ends.
    private record Axis(double from, double to, double step) {
        static Axis over(double lowest, double highest) {
            double range = Math.max(highest - lowest, 1e-9);
            double rough = range / (MARKS - 1);
            double power = Math.pow(10, Math.floor(Math.log10(rough)));
            double step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
            return new Axis(Math.floor(lowest / step) * step, Math.ceil(highest / step) * step, step);
        }

        double share(double value) {
            return (value - from) / (to - from);
        }
    }

    private void grid(StringBuilder svg, Axis loss) {
        for (int i = 0; loss.from + i * loss.step <= loss.to + loss.step / 2; i++) {
            double value = loss.from + i * loss.step;
            double y = y(loss.share(value));
            add(
                    svg,
                    "<line x1=\"%d\" y1=\"%s\" x2=\"%d\" y2=\"%s\" stroke=\"#e4e4e4\"/>\n",
                    LEFT,
                    number(y),
                    RIGHT,
                    number(y));
            text(svg, LEFT - 8, y + 4, "end", "#444444", shown(value));
        }
        Axis steps = Axis.over(0, totalSteps);
        // The end of the training has a mark too, unless it would cover another.
        for (int i = 0; i * steps.step < totalSteps - 0.6 * steps.step; i++) {
            stepMark(svg, i * steps.step);
        }
        stepMark(svg, totalSteps);
    }

    private void stepMark(StringBuilder svg, double step) {
        if (step == Math.rint(step)) {
            text(svg, x(step), BOTTOM + 18, "middle", "#444444", String.format(Locale.ROOT, "%,.0f", step));
        }
    }

    private interface Height {
        /// From 0 at the bottom to 1 at the top.
        double of(Point point);
    }

    private void path(StringBuilder svg, String color, int width, Height height) {
        StringBuilder line = new StringBuilder();
        for (Point point : points) {
            line.append(line.isEmpty() ? "" : " ")
                    .append(number(x(point.step / point.count)))
                    .append(',')
                    .append(number(y(height.of(point))));
        }
        polyline(svg, line, color, width);
    }

    /// Means over a fiftieth of the training, around each point.
    private void smooth(StringBuilder svg, Axis loss) {
        int half = (int) Math.min(points.size(), totalSteps / (2 * WINDOWS * perPoint));
        double[] sums = new double[points.size() + 1];
        double[] counts = new double[points.size() + 1];
        for (int i = 0; i < points.size(); i++) {
            sums[i + 1] = sums[i] + points.get(i).loss;
            counts[i + 1] = counts[i] + points.get(i).count;
        }
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < points.size(); i++) {
            // The same number of points on both sides, so that the line neither leads nor lags.
            int reach = Math.min(half, Math.min(i, points.size() - 1 - i));
            int from = i - reach;
            int to = i + reach + 1;
            Point point = points.get(i);
            double mean = (sums[to] - sums[from]) / (counts[to] - counts[from]);
            line.append(line.isEmpty() ? "" : " ")
                    .append(number(x(point.step / point.count)))
                    .append(',')
                    .append(number(y(loss.share(mean))));
        }
        polyline(svg, line, "#1f5c99", 2);
    }

    private void scores(StringBuilder svg) {
        if (scores.isEmpty()) {
            return;
        }
        double lowest = scores.stream().mapToDouble(Score::value).min().orElse(0);
        double highest = scores.stream().mapToDouble(Score::value).max().orElse(1);
        double margin = Math.max(1e-3, (highest - lowest) * 0.1);
        Axis axis = Axis.over(lowest - margin, highest + margin);
        StringBuilder line = new StringBuilder();
        for (Score score : scores) {
            String x = number(x(score.step));
            String y = number(y(axis.share(score.value)));
            line.append(line.isEmpty() ? "" : " ").append(x).append(',').append(y);
            add(
                    svg,
                    "<circle cx=\"%s\" cy=\"%s\" r=\"3.5\" fill=\"#c2410c\"><title>step %d: %s</title></circle>\n",
                    x,
                    y,
                    score.step,
                    shown(score.value));
        }
        polyline(svg, line, "#c2410c", 1);
        for (int i = 0; axis.from + i * axis.step <= axis.to + axis.step / 2; i++) {
            double value = axis.from + i * axis.step;
            text(svg, RIGHT + 8, y(axis.share(value)) + 4, "start", "#c2410c", shown(value));
        }
        text(svg, RIGHT + 8, TOP - 24, "end", "#c2410c", metric);
    }

    private double x(double step) {
        return LEFT + (RIGHT - LEFT) * step / totalSteps;
    }

    private static double y(double share) {
        return BOTTOM - (BOTTOM - TOP) * share;
    }

    private static void polyline(StringBuilder svg, StringBuilder points, String color, int width) {
        add(
                svg,
                "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%d\" stroke-linejoin=\"round\" points=\"%s\"/>\n",
                color,
                width,
                points);
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String color, String text) {
        String escaped = text.replaceAll("\\p{Cntrl}", " ")
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;");
        add(
                svg,
                "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n",
                number(x),
                number(y),
                anchor,
                color,
                escaped);
    }

    /// Digits are those of every reader, whatever the locale of this process.
    private static void add(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private static String shown(double value) {
        double rounded = Math.abs(value) < 1e-12 ? 0 : value;
        return rounded != 0 && (Math.abs(rounded) < 1e-3 || Math.abs(rounded) >= 1e5)
                ? String.format(Locale.ROOT, "%.1e", rounded)
                : String.format(Locale.ROOT, "%.4f", rounded)
                        .replaceAll("0+$", "")
                        .replaceAll("\\.$", "");
    }
}
