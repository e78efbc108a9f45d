package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Activation;

/// The element-wise functions in `double`.
final class Functions {
    private Functions() {}

    static double apply(Activation activation, double x) {
        return switch (activation) {
            case NONE -> x;
            case RELU -> x > 0 ? x : 0;
            case GELU -> x * normalDistribution(x);
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU_QUICK -> x * sigmoid(1.702 * x);
            case SILU -> x * sigmoid(x);
            case TANH -> Math.tanh(x);
            case SIGMOID -> sigmoid(x);
        };
    }

    /// The derivative of [#apply]; that of RELU is 0 at 0.
    static double derivative(Activation activation, double x) {
        return switch (activation) {
            case NONE -> 1;
            case RELU -> x > 0 ? 1 : 0;
            case GELU -> normalDistribution(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            case GELU_TANH -> geluTanhDerivative(x);
            case GELU_QUICK -> gateDerivative(x, 1.702);
            case SILU -> gateDerivative(x, 1);
            case TANH -> 1 / (Math.cosh(x) * Math.cosh(x));
            case SIGMOID -> sigmoid(x) * sigmoid(-x);
        };
    }

    /// Of x · sigmoid(factor · x).
    private static double gateDerivative(double x, double factor) {
        return sigmoid(factor * x) * (1 + factor * x * sigmoid(-factor * x));
    }

    private static double geluTanhDerivative(double x) {
        double inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
        double innerDerivative = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
        return 0.5 * (1 + Math.tanh(inner)) + 0.5 * x * derivative(Activation.TANH, inner) * innerDerivative;
    }

    /// The bound of scores and logits: `softcap · tanh(x / softcap)`, or `x` if `softcap` is 0.
    static double cap(double x, double softcap) {
        return softcap == 0 ? x : softcap * Math.tanh(x / softcap);
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    /// Φ(x), the cumulative distribution function of the standard normal distribution.
    static double normalDistribution(double x) {
        return 0.5 * complementaryError(-x / Math.sqrt(2));
    }

    /// erf(x) by Kummer's series of positive terms, 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!! (Abramowitz and Stegun
    /// 7.1.6); from |x| = 3 on as 1 − erfc(x).
    static double error(double x) {
        if (Math.abs(x) >= 3) {
            return Math.signum(x) * (1 - complementaryError(Math.abs(x)));
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    /// erfc(x); from x = 3 on by the continued fraction e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …))))
    /// (Abramowitz and Stegun 7.1.14), evaluated from its 200th term inwards.
    static double complementaryError(double x) {
        if (x < 3) {
            return x <= -3 ? 2 - complementaryError(-x) : 1 - error(x);
        }
        double fraction = x;
        for (int n = 200; n >= 1; n--) {
            fraction = x + n / 2.0 / fraction;
        }
        return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
    }
}
