<?php defined('SYSPATH') OR die('No direct script access.');

class Tortoise_Command extends Kohana_Tortoise_Command {}
