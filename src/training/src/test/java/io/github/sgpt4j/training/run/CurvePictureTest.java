package io.github.sgpt4j.training.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class CurvePictureTest {
    private static Element parsed(CurvePicture picture) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(picture.svg().getBytes(StandardCharsets.UTF_8)))
                .getDocumentElement();
    }

    private static List<Element> all(Element svg, String name) {
        NodeList found = svg.getElementsByTagName(name);
        return IntStream.range(0, found.getLength())
                .mapToObj(i -> (Element) found.item(i))
                .toList();
    }

    private static List<String> texts(Element svg) {
        return all(svg, "text").stream().map(Element::getTextContent).toList();
    }

    /// All points of all lines, each within the picture.
    private static List<double[]> points(Element svg) {
        List<double[]> points = new ArrayList<>();
        for (Element line : all(svg, "polyline")) {
            for (String point : line.getAttribute("points").split(" ")) {
                if (!point.isEmpty()) {
                    String[] numbers = point.split(",");
                    double x = Double.parseDouble(numbers[0]);
                    double y = Double.parseDouble(numbers[1]);
                    assertTrue(x >= 0 && x <= 860 && y >= 0 && y <= 430, point);
                    points.add(new double[] {x, y});
                }
            }
        }
        return points;
    }

    @Test
    void aLongTrainingHasBoundedPointsThatReachToItsEnd() throws Exception {
        CurvePicture picture = new CurvePicture(200_000, "dev_accuracy");
        Random random = new Random(1);
        for (int i = 1; i <= 200_000; i++) {
            picture.step(i, 3 * Math.exp(-i / 5e4) + random.nextDouble(), 1e-4);
        }
        Element svg = parsed(picture);
        List<double[]> points = points(svg);
        assertTrue(points.size() > 3 * 500 && points.size() <= 3 * 1024, "points: " + points.size());
        assertTrue(points.stream().mapToDouble(p -> p[0]).max().orElseThrow() > 780);
        assertTrue(texts(svg).contains("200,000"), () -> texts(svg).toString());
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "1, 1000000", "2, 3", "5, 5"})
    void shortTrainingsHaveAPictureToo(int steps, long total) throws Exception {
        CurvePicture picture = new CurvePicture(total, "");
        for (int i = 1; i <= steps; i++) {
            picture.step(i, 0.5, 0);
        }
        Element svg = parsed(picture);
        points(svg);
        List<String> marks = texts(svg);
        assertTrue(marks.containsAll(List.of("loss", "step", "0")), marks::toString);
        assertEquals(0, all(svg, "circle").size());
    }

    @Test
    void numbersThatAreNotFiniteAreLeftOut() throws Exception {
        CurvePicture picture = new CurvePicture(4, "s");
        picture.step(1, 1, 1e-4);
        picture.step(2, Double.NaN, 1e-4);
        picture.step(3, Double.POSITIVE_INFINITY, 1e-4);
        picture.step(4, 1e30, 1e-4);
        picture.score(1, Double.NaN);
        picture.score(2, 0.5);
        Element svg = parsed(picture);
        points(svg);
        assertFalse(picture.svg().contains("NaN") || picture.svg().contains("nfinity"), picture.svg());
        assertEquals(1, all(svg, "circle").size());
    }

    @Test
    void scoresHaveAnAxisOfTheirOwnWithDifferentMarks() throws Exception {
        for (double range : new double[] {0, 1e-6, 1e-3, 0.5, 40}) {
            CurvePicture picture = new CurvePicture(100, "dev accuracy <&> \u0001");
            picture.step(50, 2, 1e-3);
            picture.score(0, 0.25);
            picture.score(100, 0.25 + range);
            Element svg = parsed(picture);
            points(svg);
            assertEquals(2, all(svg, "circle").size());
            assertTrue(
                    texts(svg).contains("dev accuracy <&>  "), () -> texts(svg).toString());
            List<String> marks = all(svg, "text").stream()
                    .filter(text -> text.getAttribute("x").equals("798.0"))
                    .map(Element::getTextContent)
                    .toList();
            assertTrue(marks.size() >= 3 && marks.size() <= 8, marks::toString);
            assertEquals(marks.size(), marks.stream().distinct().count(), marks::toString);
        }
    }

    @Test
    void digitsAreTheSameInEveryLocale() {
        Locale before = Locale.getDefault();
        CurvePicture picture = new CurvePicture(5000, "s");
        picture.step(2500, 1.5, 1e-3);
        picture.score(5000, 0.5);
        String expected = picture.svg();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertEquals(expected, picture.svg());
        } finally {
            Locale.setDefault(before);
        }
    }
}
