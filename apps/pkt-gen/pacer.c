#include "apps/pkt-gen/pacer.h"

#include "apps/pkt-gen/wait.h"

void pacer_start(struct pacer *pacer, const struct worker *worker, uint64_t sent)
{
    pacer->frames_per_ns =
        (double)worker->options->rate / worker->options->threads / PLATFORM_NS_PER_SECOND;
    pacer->begin_ns = platform_now_ns();
    pacer->sent_at_begin = sent;
}

/* Sleeps in pieces, so that a low rate does not delay the end of the program. */
static void pause_until(uint64_t due_ns, const struct worker *worker)
{
    uint64_t now;

    while ((now = platform_now_ns()) < due_ns && !worker_stopping(worker)) {
        uint64_t left = due_ns - now;

        if (!program_busy_waits)
            platform_sleep_ns(left < WAIT_MS * 1000000ULL ? left : WAIT_MS * 1000000ULL);
    }
}

unsigned pacer_wait(struct pacer *pacer, const struct worker *worker, uint64_t sent,
                    unsigned wanted)
{
    /* Sleeps are not exact; what one takes too long, the next batch makes up for. */
    const double catch_up_ns = 100e6;
    const double least_pause_ns = 500e3;
    double unit = pacer->frames_per_ns * least_pause_ns;

    if (pacer->frames_per_ns <= 0)
        return wanted;
    unit = unit < 1 ? 1 : unit > wanted ? wanted : unit;
    while (!worker_stopping(worker)) {
        double passed = (double)(platform_now_ns() - pacer->begin_ns);
        double due = passed * pacer->frames_per_ns + 1 - (double)(sent - pacer->sent_at_begin);

        if (due > catch_up_ns * pacer->frames_per_ns + wanted) {
            pacer_start(pacer, worker, sent); /* we were held up; do not send it all at once */
            continue;
        }
        if (due >= unit)
            return due < wanted ? (unsigned)due : wanted;
        pause_until(platform_now_ns() + (uint64_t)((unit - due) / pacer->frames_per_ns) + 1,
                    worker);
    }
    return 0;
}
