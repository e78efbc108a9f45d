package io.github.sgpt4j;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.inference.Lanes;
import io.github.sgpt4j.inference.TokenLoad;
import io.github.sgpt4j.inference.TokenWork;

/// Finds out by short trials how long passes take, and how many texts a pass may have.
///
/// @param lanes the devices
/// @param ceilings measures how fast the first device is at best
/// @param cancellation of the call
record SpeedTrials(Lanes lanes, Ceilings ceilings, Cancellation cancellation) {
    private static final double NANOS = 1e9;
    /// Trials grow until embedding and scoring take this share of the whole time.
    private static final double TRIAL_SHARE = 0.04;

    private static final double CEILING_SHARE = 0.2;
    private static final double WARM_SHARE = 0.1;
    private static final double PASS_SHARE = 0.5;
    private static final int WARM_TOKENS = 32;
    private static final int WARM_PASSES = 20;

    /// Plans a measurement.
    ///
    /// @param texts 0 for as many as the time allows, at most `usual`
    /// @param usual as many as fill the batches
    /// @param load tokens of texts, of the query and of a batch
    /// @param seconds of everything
    SpeedPlan plan(int texts, int usual, TokenLoad load, double seconds) {
        long begin = System.nanoTime();
        SpeedReport.Ceiling ceiling = ceilings.measure(CEILING_SHARE * seconds);
        int wanted = texts > 0 ? texts : usual;
        warmUp(load, seconds);
        int tried = 1;
        double[] times = times(load, tried, seconds);
        while (tried < wanted && times[0] + times[1] < TRIAL_SHARE * seconds) {
            tried = (int) Math.min(wanted, 2L * tried);
            times = times(load, tried, seconds);
        }
        double embed = times[0] / tried;
        double score = times[1] / tried;
        // On a busy machine trials may take too long; what they are for must not be left without time.
        double left = Math.max(seconds - since(begin), PASS_SHARE * seconds);
        int chosen = texts > 0
                ? texts
                : wholeBatches((int) Math.clamp(left / SpeedPlan.leastSeconds(embed, score), 1, usual), load);
        double least = SpeedPlan.leastSeconds(chosen * embed, chosen * score);
        return new SpeedPlan(
                chosen,
                usual,
                load.tokens(),
                load.queryTokens(),
                load.batchTokens(),
                chosen * embed,
                chosen * score,
                Math.max(0, left - SpeedPlan.uncountedSeconds(chosen * embed, chosen * score)),
                since(begin) + Math.max(left, least),
                ceiling);
    }

    /// Computes short texts until that is no longer new: the first passes are much slower than all others.
    private void warmUp(TokenLoad load, double seconds) {
        long begin = System.nanoTime();
        int tokens = Math.min(WARM_TOKENS, load.tokens());
        int queryTokens = Math.min(WARM_TOKENS, load.queryTokens());
        TokenWork work = new TokenLoad(1, tokens, queryTokens, load.batchTokens()).draw(lanes);
        for (int i = 0; i < WARM_PASSES && (i == 0 || since(begin) < WARM_SHARE * seconds); i++) {
            work.embed(lanes, cancellation);
            work.score(lanes, cancellation);
        }
    }

    /// As many texts as fill batches; fewer if they do not fill one.
    private static int wholeBatches(int texts, TokenLoad load) {
        int together = Math.max(1, load.batchTokens() / load.tokens());
        return texts < together ? texts : texts - texts % together;
    }

    /// Seconds of embedding and of scoring some texts: the better of two, unless one takes all the time there is.
    private double[] times(TokenLoad load, int texts, double seconds) {
        TokenWork work = new TokenLoad(texts, load.tokens(), load.queryTokens(), load.batchTokens()).draw(lanes);
        double embed = time(() -> work.embed(lanes, cancellation));
        double score = time(() -> work.score(lanes, cancellation));
        if (embed + score < seconds) {
            embed = Math.min(embed, time(() -> work.embed(lanes, cancellation)));
            score = Math.min(score, time(() -> work.score(lanes, cancellation)));
        }
        return new double[] {embed, score};
    }

    private static double time(Runnable pass) {
        long start = System.nanoTime();
        pass.run();
        return since(start);
    }

    private static double since(long start) {
        return (System.nanoTime() - start) / NANOS;
    }
}
