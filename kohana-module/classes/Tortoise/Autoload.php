<?php defined('SYSPATH') OR die('No direct script access.');

class Tortoise_Autoload extends Kohana_Tortoise_Autoload {}
