"""PyTorch on the CPU: eager, with the fused optimizer, or compiled. One JSON line a workload."""
import numpy
import torch

import common

parser = common.flags(__doc__)
parser.add_argument("--form", choices=["eager", "fused", "compiled"], default="eager")
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.set_flush_denormal(True)
torch.manual_seed(0)


def network(layers):
    parts = []
    for fan_in, fan_out in zip(layers, layers[1:]):
        parts += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1])


def optimizer(parameters):
    # RMSprop has no fused form. For the others, the fused form is PyTorch's fastest on a CPU.
    fused = {} if args.form == "eager" else {"fused": True}
    if args.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, **fused)
    if args.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=0.01)
    return torch.optim.Adam(parameters, lr=0.001, **fused)


for name in args.workload:
    layers, batch, rows, task = common.WORKLOADS[name]
    inputs, targets = map(torch.from_numpy, common.arrays(numpy, layers, rows, task))
    criterion = torch.nn.CrossEntropyLoss() if task == "classify" else torch.nn.MSELoss()
    model = network(layers)
    parameters = list(model.parameters())
    update = optimizer(parameters)

    def loss_of(x, y):
        return criterion(model(x), y)

    if args.form == "compiled":
        loss_of = torch.compile(loss_of)

    def epoch():
        total = torch.zeros(())
        for index in torch.randperm(rows).split(batch):
            update.zero_grad(set_to_none=True)
            loss = loss_of(inputs[index], targets[index])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, args.clip_norm)
            update.step()
            total += loss.detach()
        return total.item()

    common.report(f"torch-{args.form}", torch.__version__, name, args, args.threads, common.time_epochs(epoch, args.epochs))
