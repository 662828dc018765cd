//= gl_entry:
/* A text and its place; lists are in order of the bytes. */
typedef struct {
    const char *text;
    int place;
} gl_entry;

//= gl_is_blank:
static int gl_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

//= gl_trim: gl_is_blank
/* The text without blanks around it, and its length. */
static const char *gl_trim(const char *text, size_t *length)
{
    const char *end;
    while (gl_is_blank(*text)) text++;
    end = text + strlen(text);
    while (end > text && gl_is_blank(end[-1])) end--;
    *length = (size_t)(end - text);
    return text;
}

//= gl_find: gl_entry
/* The place of a text in a list, or -1. */
static int gl_find(const gl_entry *list, int count, const char *text, size_t length)
{
    int low = 0, high = count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        size_t own = strlen(list[middle].text);
        int order = memcmp(list[middle].text, text, own < length ? own : length);
        if (order == 0 && own == length) return list[middle].place;
        if (order < 0 || (order == 0 && own < length)) low = middle + 1;
        else high = middle;
    }
    return -1;
}

//= gl_find_normal: gl_find gl_is_blank
/* The same without regard to case (of ASCII letters) and to the number of blanks. */
static int gl_find_normal(const gl_entry *list, int count, const char *text, size_t length)
{
    char normal[GL_LONGEST + 1];
    size_t at, made = 0;
    for (at = 0; at < length; at++) {
        char c = text[at];
        if (gl_is_blank(c)) {
            if (gl_is_blank(text[at - 1])) continue;
            c = ' ';
        } else if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        if (made == GL_LONGEST) return -1;
        normal[made++] = c;
    }
    return gl_find(list, count, normal, made);
}

//= gl_number:
/* The number that a text is, or NaN. */
static double gl_number(const char *text, size_t length)
{
    char copy[64], *end;
    double value;
    size_t at;
    if (length == 0 || length >= sizeof copy) return NAN;
    for (at = 0; at < length; at++)
        if (strchr("0123456789+-.eE", text[at]) == NULL || text[at] == 0) return NAN;
    memcpy(copy, text, length);
    copy[length] = 0;
    value = strtod(copy, &end);
    return *end == 0 ? value : NAN;
}

//= gl_place_of_number:
/* The place of a number in a list, or -1. */
static int gl_place_of_number(const double *list, const int *places, int count, double value)
{
    int at;
    for (at = 0; at < count; at++)
        if (list[at] == value) return places[at];
    return -1;
}

//= gl_each:
/* An input for each place: its number where another place is taken, and where it is this one. */
static void gl_each(const float (*pairs)[2], int count, int place, float *x)
{
    int at;
    for (at = 0; at < count; at++) x[at] = pairs[at][at == place];
}

//= gl_smooth_clip:
static double gl_smooth_clip(double z)
{
    return z / hypot(1, z / 3);
}

//= gl_ratio:
static double gl_ratio(double x, const double *above, const double *below)
{
    double a = 0, b = 0;
    int n;
    for (n = 7; n >= 0; n--) {
        a = a * x + above[n];
        b = b * x + below[n];
    }
    return a / b;
}

//= gl_normal: gl_ratio
/* The normal quantile of the share of the training rows below z, read off quantiles at even shares. */
static double gl_normal(double z, const double *quantiles, int count)
{
    int below = 0, upto = 0;
    double p, q, r;
    while (below < count && quantiles[below] < z) below++;
    upto = below;
    while (upto < count && quantiles[upto] <= z) upto++;
    if (below == 0 && upto <= 1) p = 0;
    else if (upto == count && upto - below <= 1) p = 1;
    else if (upto > below) p = 0.5 * (below + upto - 1) / (count - 1);
    else p = (below - 1 + (z - quantiles[below - 1]) / (quantiles[below] - quantiles[below - 1])) / (count - 1);
    p = fmin(fmax(p, 1e-7), 1 - 1e-7);
    /* Wichura 1988, algorithm AS 241 */
    q = p - 0.5;
    if (fabs(q) <= 0.425) return q * gl_ratio(0.180625 - q * q, gl_centre[0], gl_centre[1]);
    r = sqrt(-log(q < 0 ? p : 1 - p));
    r = r <= 5 ? gl_ratio(r - 1.6, gl_sides[0], gl_sides[1]) : gl_ratio(r - 5, gl_tails[0], gl_tails[1]);
    return q < 0 ? -r : r;
}

//= gl_wave:
/* Sine and cosine of where a date stands in a cycle; 0 where it is missing. */
static void gl_wave(double turns, float *x)
{
    double phase = 6.283185307179586 * (turns - floor(turns));
    x[0] = isnan(turns) ? 0 : (float)sin(phase);
    x[1] = isnan(turns) ? 0 : (float)cos(phase);
}

//= gl_product:
/* y = W x for each member; w has a line for each input. A member's own W is `step` further. */
static void gl_product(int members, int outputs, int inputs, const float *w, long step, const float *x, float *y)
{
    int m, i, o;
    for (m = 0; m < members; m++, w += step, x += inputs, y += outputs) {
        const float *line = w;
        for (o = 0; o < outputs; o++) y[o] = 0;
        for (i = 0; i < inputs; i++, line += outputs)
            for (o = 0; o < outputs; o++) y[o] += line[o] * x[i];
    }
}

//= gl_lookup:
/* The line of w whose number is the whole part of x, the first where there is none. */
static void gl_lookup(int members, int outputs, int lines, const float *w, const float *x, float *y)
{
    int m, o;
    for (m = 0; m < members; m++, y += outputs) {
        const float *line = w + (x[m] >= 0 && x[m] < (float)lines ? (long)x[m] * outputs : 0);
        for (o = 0; o < outputs; o++) y[o] = line[o];
    }
}

//= gl_plus:
static void gl_plus(int members, int features, const float *x, const float *b, long step, float *y)
{
    int m, f;
    for (m = 0; m < members; m++, b += step, x += features, y += features)
        for (f = 0; f < features; f++) y[f] = x[f] + b[f];
}

//= gl_times:
static void gl_times(int members, int features, const float *x, const float *b, long step, float *y)
{
    int m, f;
    for (m = 0; m < members; m++, b += step, x += features, y += features)
        for (f = 0; f < features; f++) y[f] = x[f] * b[f];
}

//= gl_plus_one:
static void gl_plus_one(int count, const float *x, float b, float *y)
{
    int f;
    for (f = 0; f < count; f++) y[f] = x[f] + b;
}

//= gl_times_one:
static void gl_times_one(int count, const float *x, float b, float *y)
{
    int f;
    for (f = 0; f < count; f++) y[f] = x[f] * b;
}

//= gl_cosine:
static void gl_cosine(int count, const float *x, float *y)
{
    int f;
    for (f = 0; f < count; f++) y[f] = cosf(x[f]);
}

//= gl_hold:
static void gl_hold(int members, int features, const float *x, const float *least, const float *most, float *y)
{
    int m, f;
    for (m = 0; m < members; m++, x += features, y += features)
        for (f = 0; f < features; f++) y[f] = x[f] < least[f] ? least[f] : x[f] > most[f] ? most[f] : x[f];
}

//= gl_normalise:
/* (x - mean) / sqrt(variance + eps), the mean 0 unless it is taken out. */
static void gl_normalise(int members, int features, int centre, double eps, const float *x, float *y)
{
    int m, f;
    for (m = 0; m < members; m++, x += features, y += features) {
        double mean = 0, square = 0;
        for (f = 0; centre && f < features; f++) mean += x[f];
        mean /= features;
        for (f = 0; f < features; f++) square += (x[f] - mean) * (x[f] - mean);
        for (f = 0; f < features; f++) y[f] = (float)((x[f] - mean) / sqrt(square / features + eps));
    }
}

//= gl_select:
static void gl_select(int members, int features, int count, const int *which, const float *x, float *y)
{
    int m, f;
    for (m = 0; m < members; m++, x += features, y += count)
        for (f = 0; f < count; f++) y[f] = x[which[f]];
}

//= gl_join:
/* Copies the features of a part to its place among `total`. */
static void gl_join(int members, int features, int total, const float *x, float *y)
{
    int m, f;
    for (m = 0; m < members; m++, x += features, y += total)
        for (f = 0; f < features; f++) y[f] = x[f];
}

//= gl_sum:
static void gl_sum(int members, int features, const float *x, float *y)
{
    int m, f;
    for (m = 0; m < members; m++, x += features) {
        y[m] = 0;
        for (f = 0; f < features; f++) y[m] += x[f];
    }
}

//= gl_logistic:
static double gl_logistic(double z)
{
    double e = exp(-fabs(z));
    return (z < 0 ? e : 1) / (1 + e);
}

//= gl_softmax:
static void gl_softmax(int count, const double *z, double *p)
{
    double most = z[0], sum = 0;
    int at;
    for (at = 1; at < count; at++) most = z[at] > most ? z[at] : most;
    for (at = 0; at < count; at++) sum += p[at] = exp(z[at] - most);
    for (at = 0; at < count; at++) p[at] /= sum;
}

//= gl_nearest:
/* The nearest probabilities: z less a shift, not below 0, that adds up to 1. Duchi et al. 2008. */
static void gl_nearest(int count, const double *z, double *p)
{
    double sum = 0, shift = 0;
    int at, before;
    for (at = 0; at < count; at++) {
        for (before = at; before > 0 && p[before - 1] < z[at]; before--) p[before] = p[before - 1];
        p[before] = z[at];
    }
    for (at = 0; at < count; at++) {
        sum += p[at];
        if (p[at] > (sum - 1) / (at + 1)) shift = (sum - 1) / (at + 1);
    }
    for (at = 0; at < count; at++) p[at] = fmin(fmax(z[at] - shift, 0), 1);
}

//= gl_log:
static double gl_log(double x)
{
    return log(x > DBL_MIN ? x : DBL_MIN);
}
