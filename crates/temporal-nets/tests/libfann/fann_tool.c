/* fann_tool run NET             reads inputs from stdin, prints outputs, a line each
 * fann_tool train NET DATA N    trains N epochs by the file's algorithm, saves NET
 * fann_tool make NET SEED       saves a network of random weights, functions and scaling
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <floatfann.h>

static struct fann *load(const char *path)
{
    struct fann *ann = fann_create_from_file(path);
    if (!ann)
        exit(2);
    return ann;
}

static int run(const char *path)
{
    struct fann *ann = load(path);
    unsigned inputs = fann_get_num_input(ann), outputs = fann_get_num_output(ann);
    float *input = malloc(inputs * sizeof *input);
    for (unsigned i = 0; scanf("%f", &input[i]) == 1; i = (i + 1) % inputs) {
        if (i + 1 < inputs)
            continue;
        const float *output = fann_run(ann, input);
        for (unsigned o = 0; o < outputs; o++)
            printf("%.9g%c", output[o], o + 1 < outputs ? ' ' : '\n');
    }
    free(input);
    fann_destroy(ann);
    return 0;
}

static int train(const char *path, const char *data_path, int epochs)
{
    struct fann *ann = load(path);
    struct fann_train_data *data = fann_read_train_from_file(data_path);
    if (!data)
        return 2;
    for (int k = 0; k < epochs; k++)
        printf("%.9g\n", fann_train_epoch(ann, data));
    int status = fann_save(ann, path);
    fann_destroy_train(data);
    fann_destroy(ann);
    return status;
}

static int make(const char *path, unsigned seed)
{
    struct fann *ann = fann_create_standard(4, 3, 7, 5, 2);
    srand(seed);
    fann_set_activation_function_hidden(ann, FANN_SIGMOID_SYMMETRIC);
    fann_set_activation_function(ann, FANN_GAUSSIAN, 1, 2);
    fann_set_activation_steepness(ann, 0.75f, 1, 3);
    fann_set_activation_function_output(ann, FANN_ELLIOT);
    struct fann_connection *connections = malloc(fann_get_total_connections(ann) * sizeof *connections);
    fann_get_connection_array(ann, connections);
    for (unsigned i = 0; i < fann_get_total_connections(ann); i++)
        connections[i].weight = 4.0f * rand() / RAND_MAX - 2.0f;
    fann_set_weight_array(ann, connections, fann_get_total_connections(ann));
    free(connections);
    int status = fann_save(ann, path);
    fann_destroy(ann);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "run"))
        return run(argv[2]);
    if (argc == 5 && !strcmp(argv[1], "train"))
        return train(argv[2], argv[3], atoi(argv[4]));
    if (argc == 4 && !strcmp(argv[1], "make"))
        return make(argv[2], atoi(argv[3]));
    fprintf(stderr, "see the comment in fann_tool.c\n");
    return 1;
}
