# Medians, ranges and ratios from raw.txt, as a table on stdout, as results.json, and as data for
# the pictures. First file: rows.txt; second: raw.txt.
#
# A run counts as disturbed when the placement probe before or after it had to wait for its CPUs,
# because somebody else ran there, or was far off what it mostly was in this session, or the two do
# not agree, because the CPUs were moved. As
# long as at least half of a row's runs are good, only those are used.

function trim(text) {
    sub(/^ +/, "", text)
    sub(/ +$/, "", text)
    return text
}

# Sorts list[1..number] in place.
function sort(list, number,    i, j, value) {
    for (i = 2; i <= number; i++) {
        value = list[i]
        for (j = i - 1; j >= 1 && list[j] > value; j--)
            list[j + 1] = list[j]
        list[j + 1] = value
    }
}

# Sets median, lowest and highest.
function summarise(list, number) {
    median = lowest = highest = 0
    if (number == 0)
        return
    sort(list, number)
    median = list[int((number + 1) / 2)]
    if (number % 2 == 0)
        median = (median + list[number / 2 + 1]) / 2
    lowest = list[1]
    highest = list[number]
}

function waited(name, round) {
    return (name, round, "cpu_wait_percent") in value && value[name, round, "cpu_wait_percent"] > 5
}

function good_run(name, round,    before, after, larger, smaller) {
    if (waited(before_of[name, round], round) || waited("probe_" name, round) || waited(name, round))
        return 0
    before = value[before_of[name, round], round, "pingpong_ns"]
    after = value["probe_" name, round, "pingpong_ns"]
    larger = before > after ? before : after
    smaller = before > after ? after : before
    return smaller > 0 && larger <= 2 * smaller && larger <= 2 * usual && smaller >= usual / 2
}

# Which rounds of a row count; sets used[round] and returns how many were left out.
function choose_runs(name,    round, good, all) {
    good = all = 0
    for (round = 1; round <= rounds; round++) {
        used[round] = 0
        if (!((name, round) in seen))
            continue
        all++
        used[round] = good_run(name, round)
        good += used[round]
    }
    if (2 * good >= all)
        return all - good
    for (round = 1; round <= rounds; round++)
        used[round] = (name, round) in seen
    return 0
}

# Over the chosen rounds.
function summarise_key(name, key,    round, number, list) {
    number = 0
    for (round = 1; round <= rounds; round++)
        if (used[round] && (name, round, key) in value)
            list[++number] = value[name, round, key]
    summarise(list, number)
    return median
}

# Of a row's figure to its yardstick in the same round; of good rounds of the limits, if any.
function summarise_ratio(name, key, yardstick, any,    round, number, list, limit) {
    number = 0
    for (round = 1; round <= rounds; round++) {
        limit = value["limits", round, yardstick]
        if (used[round] && limit > 0 && (any || limits_used[round]))
            list[++number] = value[name, round, key] / limit
    }
    if (number == 0 && !any)
        return summarise_ratio(name, key, yardstick, 1)
    summarise(list, number)
    return number
}

function quote(text) {
    gsub(/[\\"]/, " ", text)
    return "\"" text "\""
}

function json_range(name, digits) {
    return sprintf("\"%s\": %.*f, \"%s_min\": %.*f, \"%s_max\": %.*f", name, digits, median, name,
                   digits, lowest, name, digits, highest)
}

FNR == 1 {
    file++
}

file == 1 {
    if ($0 ~ /^#/ || split($0, column, "|") != 5)
        next
    name = trim(column[1])
    names[++num_names] = name
    yardstick_of[name] = trim(column[3])
    title_of[name] = trim(column[4])
    next
}

{
    value[$1, $2, $3] = $4
    if ($1 ~ /^probe_/) {
        if ($3 == "pingpong_ns")
            probes[++num_probes] = $4
        last_probe = $1
    } else if (!(($1, $2) in seen)) {
        seen[$1, $2] = 1
        before_of[$1, $2] = last_probe
    }
}

END {
    json = output "/results.json"
    rates = output "/rates.dat"
    trips = output "/trips.dat"
    summarise(probes, num_probes)
    usual = median

    printf("{\n  \"date\": \"%s\", \"commit\": \"%s\",\n", date, commit) >json
    printf("  \"machine\": %s, \"cpus\": %d, \"kernel\": %s,\n", quote(machine), cpus,
           quote(kernel)) >json
    printf("  \"load\": %s, \"rounds\": %d, \"seconds\": %s,\n  %s,\n", load, rounds, seconds,
           json_range("pingpong_ns", 0)) >json
    printf("\n%s, %d CPUs, Linux %s, commit %s, %s\n", machine, cpus, kernel, commit, date)
    printf("medians (lowest-highest) of %d rounds of %s s; placement probe %.0f ns (%.0f-%.0f)\n\n",
           rounds, seconds, median, lowest, highest)

    printf("%-28s %10s\n", "limits", "Mpps")
    num_limits = split("descriptor descriptor4096 touch64 copy64 copy1500 futex futex2", items, " ")
    text["descriptor"] = "descriptors, ring 1024"
    text["descriptor4096"] = "descriptors, ring 4096"
    text["touch64"] = "64 B written, 8 B read"
    text["copy64"] = "64 B written and copied"
    text["copy1500"] = "1500 B written and copied"
    text["futex"] = "two processes wake in turns"
    text["futex2"] = "and with one in the middle"
    discarded = choose_runs("limits")
    for (round = 1; round <= rounds; round++)
        limits_used[round] = used[round]
    printf("  \"limits\": {") >json
    for (i = 1; i <= num_limits; i++) {
        sleeping = items[i] ~ /^futex/
        key = items[i] (sleeping ? "_ns" : "_mpps")
        summarise_key("limits", key)
        printf("%s\n    %s", i > 1 ? "," : "", json_range(key, 3)) >json
        printf("  %-26s %10.2f %s (%.2f-%.2f)\n", text[items[i]], sleeping ? median / 1e3 : median,
               sleeping ? "us  " : "Mpps", sleeping ? lowest / 1e3 : lowest,
               sleeping ? highest / 1e3 : highest)
    }
    printf("\n  },\n  \"cpu_wait_percent\": %.2f, \"limits_discarded\": %d,\n  \"rows\": [", summarise_key("limits", "cpu_wait_percent"), discarded) >json
    total_discarded = discarded
    busy = summarise_key("limits", "cpu_wait_percent")
    printf("  %-26s %10.1f %%    (%.1f-%.1f)\n", "waited for busy CPUs", median, lowest, highest)

    printf("\n%-26s %8s %-17s %5s %-13s %6s  %-17s %s\n", "", "median", " (range)", "of", " (range)",
           "drops", "CPU ns a frame", "frames a sleep")
    printf("%-26s %8s %-17s %5s %-13s %6s  %-17s %s\n", "row", "", "", "limit", "", "%",
           "send/recv/host", "send/recv/host")
    printf("# row median lowest highest limit title\n") >rates
    printf("# row median p99 reference title\n") >trips
    printed = 0
    for (i = 1; i <= num_names; i++) {
        name = names[i]
        present = 0
        for (round = 1; round <= rounds; round++)
            present += (name, round) in seen
        if (!present)
            continue
        trip = 0
        for (round = 1; round <= rounds; round++)
            if ((name, round, "rtt_ns") in value)
                trip = 1
        discarded = choose_runs(name)
        total_discarded += discarded
        key = trip ? "rtt_ns" : "mpps"
        yardstick = yardstick_of[name] (trip ? "_ns" : "_mpps")
        compared = yardstick_of[name] != "-"
        scale = trip ? 1e-3 : 1

        printf("%s\n    {\"name\": \"%s\", \"title\": %s, ", printed++ ? "," : "", name,
               quote(title_of[name])) >json
        summarise_key(name, key)
        printf("%s, ", json_range(key, 3)) >json
        middle = median
        range = sprintf(" (%.2f-%.2f)", lowest * scale, highest * scale)
        low = lowest
        high = highest
        ratio = part = ""
        if (compared && summarise_ratio(name, key, yardstick, 0) > 0) {
            printf("\"yardstick\": \"%s\", %s, ", yardstick, json_range("ratio", 4)) >json
            ratio = sprintf("%.2f", median)
            part = sprintf(" (%.2f-%.2f)", lowest, highest)
        }
        sent = received = disorder = 0
        for (round = 1; round <= rounds; round++)
            if (used[round]) {
                sent += value[name, round, "sent"]
                received += value[name, round, "received"]
                disorder += value[name, round, "disorder"]
            }
        drops = trip || sent == 0 ? 0 : 100 * (sent - received) / sent
        cpu = sprintf("%.1f/%.1f/%.1f", summarise_key(name, "cpu_ns_sender"),
                      summarise_key(name, "cpu_ns_receiver"), summarise_key(name, "cpu_ns_host"))
        sleeps = sprintf("%.0f/%.0f/%.0f", summarise_key(name, "frames_per_sleep_sender"),
                         summarise_key(name, "frames_per_sleep_receiver"),
                         summarise_key(name, "frames_per_sleep_host"))
        printf("\"dropped_percent\": %.3f, \"disorder\": %d, ", drops, disorder) >json
        printf("\"cpu_ns_sender\": %.2f, \"cpu_ns_receiver\": %.2f, \"cpu_ns_host\": %.2f, ",
               summarise_key(name, "cpu_ns_sender"), summarise_key(name, "cpu_ns_receiver"),
               summarise_key(name, "cpu_ns_host")) >json
        if (trip)
            printf("\"rtt_ns_p90\": %.0f, \"rtt_ns_p99\": %.0f, ",
                   summarise_key(name, "rtt_ns_p90"), summarise_key(name, "rtt_ns_p99")) >json
        printf("\"runs\": %d, \"discarded\": %d}", present, discarded) >json

        printf("%-26s %8.2f %-17s %5s %-13s %6.2f  %-17s %s\n", title_of[name], middle * scale,
               range, ratio, part, drops, cpu, sleeps)
        if (trip)
            printf("%-26s %8.2f us at 99%%\n", "", summarise_key(name, "rtt_ns_p99") * scale)
        if (disorder > 0)
            printf("%-26s %d frames out of order\n", "", disorder)
        reference = compared ? summarise_key("limits", yardstick) : 0
        if (trip)
            printf("%s %.3f %.3f %.3f \"%s\"\n", name, middle * scale,
                   summarise_key(name, "rtt_ns_p99") * scale, reference * scale,
                   title_of[name]) >trips
        else
            printf("%s %.3f %.3f %.3f %.3f \"%s\"\n", name, middle, low, high, reference,
                   title_of[name]) >rates
    }
    printf("\n  ],\n  \"discarded\": %d\n}\n", total_discarded) >json
    printf("\nrates in Mpps, round trips in us; 'of limit': a row's part, round trips' multiple, of its " \
           "yardstick in the same round\n")
    if (total_discarded > 0)
        printf("%d runs were disturbed, by the placement probe, and left out\n", total_discarded)
    if (busy > 5)
        printf("WARNING: others took the CPUs for %.0f %% of the time while the limits were measured (load %s " \
               "before): the limits\nare too low, and the parts of them too high; repeat on a quiet machine\n",
               busy, load)
}
